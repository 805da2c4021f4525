//! The one translation from the rooms' errors to problems. Failures are logged by who handled them.

use std::time::Duration;

use super::{FieldError, Problem, ProblemKind, pointer::Pointer, problem::ExpertFailure};
use crate::{
    domain::{DocumentError, PolicyProblem},
    meta::{FailedExpert, FeedbackError, LakeError, PolicyError, ProcessError},
};

/// How long to wait before a store that failed is worth another try.
const STORE_RETRY: Duration = Duration::from_secs(5);
/// How long to wait where providers limit the rate and do not say how long.
const LIMITED_RETRY: Duration = Duration::from_secs(1);
/// How long to wait where too much is under way.
const BUSY_RETRY: Duration = Duration::from_secs(1);
/// Most failed experts that are named.
const MOST_EXPERTS: usize = 32;

impl From<ProcessError> for Problem {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::AsiFailed { failures, retry_after } => asi_failed(failures, retry_after),
            ProcessError::DeadlineExceeded { .. } => Self::new(
                ProblemKind::DeadlineExceeded,
                "The request's deadline came before any answer. Send a longer deadline_ms.",
            ),
        }
    }
}

impl From<PolicyError> for Problem {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Invalid(problems) => {
                Self::invalid(problems.into_iter().map(FieldError::from).collect())
            }
            PolicyError::Conflict => Self::new(
                ProblemKind::PolicyConflict,
                "Somebody else changed the policy at the same time. Read it again, then send \
                 your change again.",
            ),
            PolicyError::Unavailable => storage_unavailable(),
        }
    }
}

impl From<DocumentError> for Problem {
    fn from(error: DocumentError) -> Self {
        let full = |detail: String| Self::new(ProblemKind::DocumentsFull, detail);
        match error {
            DocumentError::Empty => Self::invalid(vec![FieldError {
                pointer: "/content".to_owned(),
                detail: "has no sentence".to_owned(),
                fix: "send text that can be read in the `format` that you say it has".to_owned(),
            }]),
            DocumentError::TooMany { most } => full(format!(
                "There are {most} documents already, as many as may be. Remove one, or have \
                 documents.max_added raised."
            )),
            DocumentError::NoRoom { most, sentences } => full(format!(
                "All documents together may have {most} bytes, and yours {sentences} sentences. \
                 Remove some, or have documents.max_added_bytes raised."
            )),
            DocumentError::Busy => Self::new(
                ProblemKind::Overloaded,
                "Too many changes to documents are under way. Send this one again in a moment.",
            )
            .retry_after(BUSY_RETRY),
            DocumentError::Unavailable => storage_unavailable(),
        }
    }
}

impl From<FeedbackError> for Problem {
    fn from(error: FeedbackError) -> Self {
        match error {
            FeedbackError::UnknownResponse => Self::new(
                ProblemKind::UnknownResponse,
                "There is no such response. Send the `id` that `process` returned.",
            ),
            FeedbackError::TooMuch { retry_after } => Self::new(
                ProblemKind::TooMuchFeedback,
                "This tenant judges more often than is taken. Send it again after the time that \
                 Retry-After names; feedback is never too late.",
            )
            .retry_after(retry_after),
            FeedbackError::Unavailable => storage_unavailable(),
        }
    }
}

impl From<LakeError> for Problem {
    fn from(error: LakeError) -> Self {
        match error {
            LakeError::Off => Self::new(
                ProblemKind::LakeOff,
                "The lake is switched off. Set lake.enabled = true in the configuration and \
                 restart.",
            ),
            LakeError::Unavailable => storage_unavailable(),
        }
    }
}

impl From<PolicyProblem> for FieldError {
    fn from(problem: PolicyProblem) -> Self {
        let mut pointer = Pointer::default();
        // Experts' names may have dots of their own.
        match problem.field.split_once('.') {
            Some((parent, name)) => {
                pointer.push_name(parent);
                pointer.push_name(name);
            }
            None => pointer.push_name(&problem.field),
        }
        Self {
            pointer: pointer.to_string(),
            detail: "is not accepted".to_owned(),
            fix: problem.problem,
        }
    }
}

fn asi_failed(failures: Vec<FailedExpert>, retry_after: Option<Duration>) -> Problem {
    let all_of = |codes: &[&str]| {
        !failures.is_empty() && failures.iter().all(|failed| codes.contains(&failed.code))
    };
    let all = |code| all_of(&[code]);
    let problem = if all("timeout") {
        Problem::new(
            ProblemKind::ExpertsTimedOut,
            "No expert of the AI tier answered in time, and Flux had no answer to stand in. A \
             longer deadline_ms may help.",
        )
    } else if all("rate_limited") {
        Problem::new(
            ProblemKind::ExpertsRateLimited,
            "The providers of all experts limit the rate, and Flux had no answer to stand in. Try \
             again later.",
        )
        .retry_after(LIMITED_RETRY)
    } else if all_of(&["busy", "suspended", "rate_limited"]) {
        Problem::new(
            ProblemKind::ExpertsBusy,
            "The experts of the AI tier take no more calls at the moment, and Flux had no answer to \
             stand in. Try again shortly.",
        )
        .retry_after(LIMITED_RETRY)
    } else if all("over_budget") {
        Problem::new(
            ProblemKind::ExpertsFailed,
            "A call of any expert might have cost more than max_cost_usd, so none was made, and Flux had \
             no answer to stand in. Send a higher max_cost_usd, or a shorter request.",
        )
    } else {
        Problem::new(
            ProblemKind::ExpertsFailed,
            "No expert of the AI tier could answer, and Flux had no answer to stand in.",
        )
    };
    let failed = failures.into_iter().take(MOST_EXPERTS);
    let failed = failed.map(|FailedExpert { name, code, cause }| ExpertFailure {
        name,
        code: code.to_owned(),
        cause: cause.to_owned(),
    });
    let problem = problem.with_experts(failed.collect());
    match retry_after {
        Some(wait) => problem.retry_after(wait),
        None => problem,
    }
}

fn storage_unavailable() -> Problem {
    Problem::new(
        ProblemKind::StorageUnavailable,
        "It could not be stored, so nothing has changed. Try again later.",
    )
    .retry_after(STORE_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(codes: &[&'static str], retry_after: Option<Duration>) -> Problem {
        let failed = |&code| FailedExpert { name: "expert".to_owned(), code, cause: code };
        let failures = codes.iter().map(failed).collect();
        ProcessError::AsiFailed { failures, retry_after }.into()
    }

    #[test]
    fn the_status_tells_how_the_experts_failed() {
        for (codes, status) in [
            (&["timeout", "timeout"][..], 504),
            (&["rate_limited"][..], 503),
            (&["timeout", "rate_limited"][..], 502),
            (&["busy", "suspended", "rate_limited"][..], 503),
            (&["status"][..], 502),
            (&[][..], 502),
        ] {
            assert_eq!(failed(codes, None).kind().status(), status, "{codes:?}");
        }
    }

    #[test]
    fn one_cause_of_all_is_told_and_several_are_mixed() {
        for (codes, cause) in [
            (&["unreachable", "unreachable"][..], Some("unreachable")),
            (&["timeout", "rate_limited"], Some("mixed")),
            (&[], None),
        ] {
            assert_eq!(failed(codes, None).body(None).cause.as_deref(), cause, "{codes:?}");
        }
    }

    #[test]
    fn what_the_providers_ask_is_passed_on() {
        let problem = failed(&["rate_limited", "status"], Some(Duration::from_secs(7)));
        assert_eq!(problem.respond(None).headers()["retry-after"], "7");
        assert!(!failed(&["status"], None).respond(None).headers().contains_key("retry-after"));
    }

    #[test]
    fn problems_of_a_policy_point_at_their_fields() {
        for (field, pointer) in [
            ("sacred_weight", "/sacred_weight"),
            ("thresholds.keep_signal", "/thresholds/keep_signal"),
            ("custom_weights.gpt-4.1/mini", "/custom_weights/gpt-4.1~1mini"),
        ] {
            let problem = PolicyProblem { field: field.to_owned(), problem: "must".to_owned() };
            assert_eq!(FieldError::from(problem).pointer, pointer);
        }
    }
}
