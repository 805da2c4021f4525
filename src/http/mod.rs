//! The public face: routes, problem+json, OpenAPI, the accept loop.
