//! Takes a request's body in: bounded in size, time and depth, and strictly JSON.

use std::{
    pin::{Pin, pin},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::{FromRef, FromRequest, Request},
    http::{HeaderMap, HeaderValue, header},
};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::{FieldError, FromFields, Problem, ProblemKind, fields, json};

/// Limits of every body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// Most bytes.
    pub max_bytes: usize,
    /// Most levels of arrays and objects, 1 to 126.
    pub max_depth: usize,
    /// Time for the whole body to arrive.
    pub timeout: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { max_bytes: 1 << 20, max_depth: 32, timeout: Duration::from_secs(10) }
    }
}

/// Room made for a body on the word of its `Content-Length`; it grows from there.
const FIRST_ROOM: usize = 64 * 1024;

/// The fields of a JSON body. Whatever is wrong with it is answered with a [`Problem`].
#[derive(Debug, Clone)]
pub struct JsonBody<T>(pub T);

impl<S, T> FromRequest<S> for JsonBody<T>
where
    S: Send + Sync,
    BodyLimits: FromRef<S>,
    T: FromFields,
    T::Context: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let limits = BodyLimits::from_ref(state);
        let (head, body) = request.into_parts();
        declared_as_json(&head.headers)?;
        let bytes = whole_body(&head.headers, body, limits).await?;
        let context = T::Context::from_ref(state);
        let object = json::object(&bytes, limits.max_depth)
            .map_err(|problem| naming_fields::<T>(problem, &context))?;
        fields::read(object, &context).map(Self)
    }
}

/// The problem of a body that is no object, or is none at all, with what it might have said.
fn naming_fields<T: FromFields>(problem: Problem, context: &T::Context) -> Problem {
    let right = || format!("send a JSON object; known fields are {}", known::<T>(context));
    match (problem.kind(), problem.errors()) {
        (ProblemKind::EmptyBody, _) => {
            Problem::new(ProblemKind::EmptyBody, format!("The body is empty: {}.", right()))
        }
        (_, [only]) if only.pointer.is_empty() => {
            Problem::invalid(vec![FieldError { fix: right(), ..only.clone() }])
        }
        _ => problem,
    }
}

fn known<T: FromFields>(context: &T::Context) -> String {
    fields::names::<T>(context).join(", ")
}

/// The body must say that it is JSON: that is also what keeps other sites' forms out (a browser
/// sends `application/json` across sites only after asking, and is then refused).
fn declared_as_json(headers: &HeaderMap) -> Result<(), Problem> {
    let refuse = |detail: String| {
        Err(Problem::new(ProblemKind::UnsupportedMediaType, detail)
            .with_header(header::ACCEPT, HeaderValue::from_static("application/json"))
            .with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")))
    };
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return refuse("Compressed bodies are not taken; send it without Content-Encoding.".into());
    }
    let mut declared = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(declared), None) = (declared.next(), declared.next()) else {
        return refuse("Send exactly one header `Content-Type: application/json`.".into());
    };
    let declared = declared.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = declared.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let json = essence == "application/json"
        || essence.strip_prefix("application/").is_some_and(|rest| rest.ends_with("+json"));
    if !json {
        return refuse("Send the body as JSON, with `Content-Type: application/json`.".into());
    }
    let utf8 = parts
        .filter_map(|parameter| parameter.strip_prefix("charset="))
        .all(|charset| matches!(charset.trim_matches('"'), "utf-8" | "utf8"));
    if utf8 { Ok(()) } else { refuse("JSON is UTF-8; leave the charset out.".into()) }
}

async fn whole_body(headers: &HeaderMap, body: Body, limits: BodyLimits) -> Result<Bytes, Problem> {
    let deadline = Instant::now() + limits.timeout;
    let mut body = pin!(body);
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limits.max_bytes) {
        // Who asks first (`Expect: 100-continue`) is told no before anything is sent.
        if !headers.contains_key(header::EXPECT) {
            discard(body, limits, deadline).await;
        }
        return Err(too_large(limits));
    }
    let mut whole: Vec<u8> = Vec::with_capacity(announced.unwrap_or_default().min(FIRST_ROOM));
    loop {
        let frame = match timeout_at(deadline, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) => return Err(incomplete()),
            Ok(None) => return Ok(whole.into()),
            Err(_) => return Err(too_slow(limits)),
        };
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > limits.max_bytes {
            discard(body, limits, deadline).await;
            return Err(too_large(limits));
        }
        whole.extend_from_slice(&data);
    }
}

/// Reads on for a little while, so that a client that sends first and listens later hears the
/// answer instead of a reset. Bounded in bytes and in time.
async fn discard(mut body: Pin<&mut Body>, limits: BodyLimits, deadline: Instant) {
    let deadline = deadline.min(Instant::now() + Duration::from_secs(1));
    let mut left = limits.max_bytes.saturating_mul(4);
    while let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await {
        let Ok(data) = frame.into_data() else { continue };
        match left.checked_sub(data.len()) {
            Some(less) => left = less,
            None => return,
        }
    }
}

fn too_large(limits: BodyLimits) -> Problem {
    let most = limits.max_bytes;
    Problem::new(ProblemKind::BodyTooLarge, format!("The body has more than {most} bytes."))
}

fn incomplete() -> Problem {
    Problem::new(
        ProblemKind::IncompleteBody,
        "The body broke off before it was whole; send it again.",
    )
    .with_header(header::CONNECTION, HeaderValue::from_static("close"))
}

fn too_slow(limits: BodyLimits) -> Problem {
    let seconds = limits.timeout.as_secs_f64();
    Problem::new(
        ProblemKind::BodyTimeout,
        format!("The body did not arrive within {seconds} seconds."),
    )
    .with_header(header::CONNECTION, HeaderValue::from_static("close"))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt, stream};

    use super::*;

    fn limits() -> BodyLimits {
        BodyLimits { max_bytes: 8, ..BodyLimits::default() }
    }

    fn chunks(chunks: &'static [&'static str]) -> Body {
        Body::from_stream(stream::iter(chunks).map(|c| Ok::<_, Infallible>(Bytes::from(*c))))
    }

    async fn kind_of(body: Body) -> Option<ProblemKind> {
        whole_body(&HeaderMap::new(), body, limits()).await.err().map(|p| p.kind())
    }

    #[tokio::test]
    async fn a_body_is_taken_up_to_the_last_byte_of_its_limit() {
        assert_eq!(kind_of(chunks(&["1234", "5678"])).await, None);
        assert_eq!(kind_of(chunks(&["1234", "56789"])).await, Some(ProblemKind::BodyTooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let drip = stream::iter(["1"]).chain(stream::pending());
        let drip = Body::from_stream(drip.map(|c| Ok::<_, Infallible>(Bytes::from(c))));
        assert_eq!(kind_of(drip).await, Some(ProblemKind::BodyTimeout));
        let flood = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(b"123456789")));
        assert_eq!(kind_of(Body::from_stream(flood)).await, Some(ProblemKind::BodyTooLarge));
    }

    #[test]
    fn what_is_no_object_is_told_which_fields_there_are() {
        struct Tea;
        impl FromFields for Tea {
            type Context = ();
            fn from_fields(fields: &mut fields::Fields<'_>, (): &()) -> Option<Self> {
                fields.required("leaf", "say which", |f| f.filled_text(8));
                fields.optional("minutes", |f| f.whole(1..=9));
                Some(Self)
            }
        }
        for (body, said) in [
            ("null", "The body is null: send a JSON object; known fields are leaf, minutes."),
            ("[]", "The body is an array: send a JSON object; known fields are leaf, minutes."),
            (" ", "The body is empty: send a JSON object; known fields are leaf, minutes."),
        ] {
            let problem = json::object(body.as_bytes(), 8).unwrap_err();
            assert_eq!(naming_fields::<Tea>(problem, &()).body(None).detail, said);
        }
        let twice = json::object(br#"{"leaf": 1, "leaf": 2}"#, 8).unwrap_err();
        assert_eq!(naming_fields::<Tea>(twice, &()).errors()[0].pointer, "/leaf");
    }

    #[test]
    fn only_json_is_taken() {
        for (declared, taken) in [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/json;charset=\"utf-8\"", true),
            ("application/merge-patch+json", true),
            ("application/json; charset=latin-1", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("application/jsonp", false),
            ("json", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(declared));
            assert_eq!(declared_as_json(&headers).is_ok(), taken, "{declared}");
        }
        assert!(declared_as_json(&HeaderMap::new()).is_err());
    }
}
