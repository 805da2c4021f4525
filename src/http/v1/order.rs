//! From a chat to the house's own request.

use std::sync::Arc;

use super::{
    body::Chat,
    models::{Meant, meant},
};
use crate::{
    domain::{AsiMode, Dialogue, OwnModel, Passthrough, Request, ResponseId, Strategy, TenantId},
    http::{FieldError, Problem, ProblemKind, RequestLimits},
    meta::MetaOrchestrator,
};

/// The request that a chat means.
///
/// # Errors
/// [`Problem`] when there is no such model, when members contradict each other, and when no model
/// could take what is to be passed on.
pub(super) fn request(
    mut chat: Chat,
    meta: &MetaOrchestrator,
    limits: &RequestLimits,
) -> Result<Request, Problem> {
    let meant = meant(&chat.model, meta)?;
    let passed = passed_on(&chat);
    let alone = match (&meant, &passed) {
        (_, Some(place)) => Some(format!("`{}` goes to one model as it is", &place[1..])),
        (Meant::Expert(_), None) => Some(format!("the model `{}` answers alone", chat.model)),
        _ => None,
    };
    let mut faults = Vec::new();
    let options = &mut chat.options;
    let wanted = match (&alone, &meant) {
        (Some(_), _) => Some(Strategy::AiFirst),
        (None, Meant::Own(OwnModel::Strategy(strategy))) => Some(*strategy),
        (None, _) => None,
    };
    let why = alone.clone().unwrap_or_else(|| format!("the model is `{}`", chat.model));
    if let (Some(wanted), Some(given)) = (wanted, options.strategy)
        && wanted != given
    {
        faults.push(contradiction("/meta/strategy", &why));
    }
    options.strategy = wanted.or(options.strategy);
    if alone.is_some() {
        if options.mode.is_some_and(|mode| mode != AsiMode::Fast) {
            faults.push(contradiction("/meta/mode", &why));
        }
        options.mode = Some(AsiMode::Fast);
    }
    if passed.is_some() {
        // What goes on as it is has no place for further texts.
        if !options.context.is_empty() {
            faults.push(contradiction("/meta/context", &why));
        }
        if options.session_id.is_some() {
            faults.push(contradiction("/meta/session_id", &why));
        }
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let expert = match meant {
        Meant::Expert(name) => Some(name),
        Meant::Own(_) => None,
    };
    if let Some(place) = &passed {
        takes(expert.as_deref(), place, meta)?;
    }
    let Chat { conversation, sampling, members, options, .. } = chat;
    let passthrough = passed
        .is_some()
        .then(|| Arc::new(Passthrough { messages: conversation.verbatim, members }));
    let dialogue = Dialogue {
        instructions: conversation.instructions,
        turns: conversation.turns,
        sampling,
        passthrough,
    };
    let (id, tenant) = (ResponseId::generate(), TenantId::default());
    let request = options.into_request(id, tenant, conversation.input, limits);
    Ok(Request { dialogue: Some(dialogue), expert, ..request })
}

/// Where the first thing stands that goes on as it is, as a JSON Pointer.
fn passed_on(chat: &Chat) -> Option<String> {
    let member = || chat.members.keys().next().map(|name| format!("/{name}"));
    chat.conversation.beyond_text.clone().or_else(member)
}

/// Whether any model that may answer takes what is passed on.
fn takes(expert: Option<&str>, place: &str, meta: &MetaOrchestrator) -> Result<(), Problem> {
    let asked = |name: &str| expert.is_none_or(|expert| expert == name);
    let models = meta.models();
    if models.iter().any(|profile| asked(&profile.name) && profile.passthrough) {
        return Ok(());
    }
    let who = match expert {
        Some(name) => format!("the model `{name}` does not take it"),
        None if models.is_empty() => "no language model is configured".to_owned(),
        None => "no configured model takes it".to_owned(),
    };
    let fault = FieldError {
        pointer: place.to_owned(),
        detail: "is not taken".to_owned(),
        fix: "leave it out, or name a model that takes it".to_owned(),
    };
    let detail = format!("`{place}` would go to a model as it is, and {who}.");
    Err(Problem::of_field(ProblemKind::UnsupportedField, detail, fault))
}

fn contradiction(pointer: &str, why: &str) -> FieldError {
    FieldError {
        pointer: pointer.to_owned(),
        detail: "contradicts the rest of the request".to_owned(),
        fix: format!("leave it out: {why}"),
    }
}
