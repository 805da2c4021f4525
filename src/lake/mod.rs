//! The Confidence Lake: verified answers, remembered per tenant.
