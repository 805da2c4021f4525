//! `POST /v1/chat/completions`.

use axum::{Extension, extract::State, http::HeaderMap, response::Response};

use super::{
    body::{Chat, ChatBody},
    order, stream,
    wire::{self, ChatCompletion},
};
use crate::http::{ApiState, JsonBody, Problem, middleware::RequestId, unified};

/// Chat, as OpenAI's clients do
///
/// The last message of the user is the question; earlier ones are the conversation, those of the
/// system are standing instructions. Tools, images, `response_format` and the like go as they are to
/// one model that takes them. `model` in the answer is the model whose own words it is, as its
/// provider names it, else the name that was asked for; `meta` says how the answer came about.
///
/// With `"stream": true` the answer comes as chunks, and the last one before `data: [DONE]` has
/// `meta`. A failure before the first chunk is an error response; one in the midst is
/// `data: {"error": …}` without `[DONE]`. A stream without `[DONE]` was cut.
#[utoipa::path(
    post,
    path = "/v1/chat/completions",
    operation_id = "createChatCompletion",
    tag = "openai",
    request_body(content = ChatBody, description = "The conversation and how to go on.", examples(
        ("question" = (summary = "A question", value = json!({"model": "meta/hybrid",
            "messages": [{"role": "user", "content": "what is 15 percent of 80?"}]}))),
    )),
    responses((status = 200, description = "The answer, or an honest abstention.", content(
        (ChatCompletion = "application/json"),
        (String = "text/event-stream"),
    ))),
)]
pub(super) async fn create_chat_completion(
    State(state): State<ApiState>,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    JsonBody(chat): JsonBody<Chat>,
) -> Result<Response, Problem> {
    let (meta, limits) = (&state.orchestrator, &state.request_limits);
    let (model, streamed, include_usage) = (chat.model.clone(), chat.stream, chat.include_usage);
    let mut request = order::request(chat, meta, limits)?;
    unified::heed_cache_control(&mut request, &headers);
    if streamed {
        return stream::respond(state, request, model, include_usage, id).await;
    }
    let reply = meta.process(request).await?;
    Ok(wire::respond(reply, model))
}
