//! `GET /v1/models`: the names that a chat may ask for.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{ModelProfile, OwnModel, Strategy},
    http::{ApiState, FieldError, Problem, ProblemKind, near::nearest},
    meta::MetaOrchestrator,
};

/// The router's path of one model: names have slashes.
pub(in crate::http) const MODEL_ROUTE: &str = "/v1/models/{*model}";
/// The same path as OpenAPI writes it.
pub(in crate::http) const DOCUMENTED_MODEL_ROUTE: &str = "/v1/models/{model}";

/// What a model's name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meant {
    /// The service itself.
    Own(OwnModel),
    /// This configured model and nobody else.
    Expert(String),
}

/// All names that a chat may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModelList {
    /// Always `list`.
    #[schema(example = "list")]
    pub object: &'static str,
    /// The service's own names first, then the configured models, best first.
    pub data: Vec<ModelObject>,
}

/// One name that a chat may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModelObject {
    /// The name.
    #[schema(example = "meta/hybrid")]
    pub id: String,
    /// Always `model`.
    #[schema(example = "model")]
    pub object: &'static str,
    /// Since when this service offers it, in seconds since 1970: its start.
    pub created: u64,
    /// `meta-orchestrator`, or the provider's configured name.
    #[schema(example = "meta-orchestrator")]
    pub owned_by: String,
}

/// List the models
///
/// `auto` and `meta` route by the policy in force, `meta/…` by that strategy; every configured model is
/// listed by its name, and then answers alone. The model that drafts for Flux is none of ASI's and
/// cannot be asked for.
#[utoipa::path(
    get,
    path = "/v1/models",
    operation_id = "listModels",
    tag = "openai",
    responses((status = 200, description = "All models.", body = ModelList)),
)]
pub(super) async fn list_models(State(state): State<ApiState>) -> Json<ModelList> {
    let meta = &state.orchestrator;
    let own = own_names().map(|name| object(name, OWNER, meta));
    let configured = meta.models();
    let configured = configured.iter().map(|profile| of_profile(profile, meta));
    Json(ModelList { object: "list", data: own.chain(configured).collect() })
}

/// Look a model up
///
/// 404 for a name that a chat could not ask for.
#[utoipa::path(
    get,
    path = "/v1/models/{*model}",
    operation_id = "getModel",
    tag = "openai",
    params(("model" = String, Path, description = "The name, slashes and all.", example = "meta/hybrid")),
    responses((status = 200, description = "The model.", body = ModelObject)),
)]
pub(super) async fn get_model(
    State(state): State<ApiState>,
    Path(asked): Path<String>,
) -> Result<Json<ModelObject>, Problem> {
    let meta = &state.orchestrator;
    let found = match meant(&asked, meta)? {
        Meant::Own(OwnModel::Policy) => object(asked, OWNER, meta),
        Meant::Own(OwnModel::Strategy(strategy)) => object(strategy.model_name(), OWNER, meta),
        Meant::Expert(expert) => {
            let owner = meta.models().into_iter().find(|profile| *profile.name == *expert);
            let owner = owner.map_or_else(String::new, |profile| profile.provider.to_string());
            object(expert, &owner, meta)
        }
    };
    Ok(Json(found))
}

/// What a name means. The service's own names come before a configured model of the same name.
///
/// # Errors
/// [`ProblemKind::UnknownModel`].
pub(super) fn meant(asked: &str, meta: &MetaOrchestrator) -> Result<Meant, Problem> {
    if let Some(own) = OwnModel::of(asked) {
        return Ok(Meant::Own(own));
    }
    let models = meta.models();
    if models.iter().any(|profile| *profile.name == *asked) {
        return Ok(Meant::Expert(asked.to_owned()));
    }
    let mut known: Vec<String> = own_names().collect();
    known.extend(models.iter().map(|profile| profile.name.to_string()));
    let shown: String = asked.chars().filter(|c| !c.is_control()).take(64).collect();
    let drafts = meta.drafter().is_some_and(|drafter| drafter == asked);
    let hint = match nearest(asked, known.iter().map(String::as_str)) {
        _ if drafts => {
            "It drafts for Flux (flux.drafter), which cannot be asked by name.".to_owned()
        }
        Some(near) => format!("Did you mean `{near}`?"),
        None => "GET /v1/models lists those that there are.".to_owned(),
    };
    let fault = FieldError {
        pointer: "/model".to_owned(),
        detail: "names no model".to_owned(),
        fix: "use a name that GET /v1/models lists".to_owned(),
    };
    let detail = format!("There is no model `{shown}`. {hint}");
    Err(Problem::of_field(ProblemKind::UnknownModel, detail, fault))
}

/// The service's own names, those that route by the policy first.
fn own_names() -> impl Iterator<Item = String> {
    let by_policy = OwnModel::BY_POLICY.into_iter().map(str::to_owned);
    by_policy.chain(Strategy::ALL.iter().map(|strategy| strategy.model_name()))
}

const OWNER: &str = "meta-orchestrator";

fn of_profile(profile: &ModelProfile, meta: &MetaOrchestrator) -> ModelObject {
    object(profile.name.to_string(), &profile.provider, meta)
}

fn object(id: String, owner: &str, meta: &MetaOrchestrator) -> ModelObject {
    ModelObject { id, object: "model", created: meta.began_unix(), owned_by: owner.to_owned() }
}
