//! OpenAI's dialect, `/v1/…`: chats for clients that speak nothing else.
//!
//! `body` reads what such a client sends, `order` turns it into the house's own request, the one
//! `process` answers it, `wire` and `stream` write it back; every problem under `/v1` is written
//! by `error`.

mod body;
mod chat;
mod error;
mod members;
mod messages;
mod models;
mod order;
mod stream;
mod wire;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::ApiState;

pub use body::{ChatBody, ChatMessage, StreamOptions};
pub(super) use error::respond;
pub use error::{OpenAiError, OpenAiErrorBody};
pub(super) use models::{DOCUMENTED_MODEL_ROUTE, MODEL_ROUTE};
pub use models::{ModelList, ModelObject};
pub use wire::{
    AskedExpert, AssistantMessage, ChatChoice, ChatCompletion, ChatUsage, RoutingReport,
};

/// Routes that do work, and are refused when too much is in flight.
pub(super) fn work() -> OpenApiRouter<ApiState> {
    OpenApiRouter::default().routes(routes!(chat::create_chat_completion))
}

/// Routes that only look, and always answer.
pub(super) fn looks() -> OpenApiRouter<ApiState> {
    OpenApiRouter::default().routes(routes!(models::list_models)).routes(routes!(models::get_model))
}

/// Whether a path is of this dialect, so that its problems are, too.
pub(super) fn is_here(path: &str) -> bool {
    path.strip_prefix("/v1").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
