//! `/api/v1/unified/documents`: what a tenant adds to what its questions are answered from.

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{DocumentFormat, DocumentId, DocumentInfo, NewDocument, TenantId},
    http::{ApiState, BodyLimits, FieldError, FromFields, JsonBody, Problem, fields::Fields},
};

/// Longest title, in characters.
const MAX_TITLE: usize = 256;
/// Documents that a list has unless it asks for fewer or more, and the most that it may ask for.
const LISTED: usize = 100;
const MOST_LISTED: usize = 1000;

/// A document to answer from.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct DocumentBody {
    /// The whole text.
    #[schema(min_length = 1, pattern = r"\S")]
    pub content: String,
    /// How it is written; `markdown` where nothing is said. In HTML, scripts, styles and navigation
    /// say nothing.
    pub format: Option<DocumentFormat>,
    /// Your name for it: 1 to 128 letters, digits and `-_.:@`. A document of this id is replaced.
    /// One is made where there is none.
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z0-9_.:@-]{1,128}$")]
    pub id: Option<DocumentId>,
    /// Stands above its headings.
    #[schema(max_length = 256)]
    pub title: Option<String>,
}

/// What became of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DocumentResult {
    /// The document as it is answered from now.
    #[serde(flatten)]
    pub document: DocumentInfo,
    /// Whether it took the place of an earlier one of the same id.
    pub replaced: bool,
}

/// The documents that were added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DocumentList {
    /// In the order of their ids.
    pub documents: Vec<DocumentInfo>,
    /// Send it as `after` for those that follow; absent when these are the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>)]
    pub next: Option<DocumentId>,
}

/// What removing did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DocumentRemoval {
    /// Whether there was such a document.
    pub removed: bool,
}

/// Which part of the list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// The id after which the list begins.
    #[param(value_type = Option<String>)]
    after: Option<DocumentId>,
    /// Most documents listed.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

impl FromFields for DocumentBody {
    type Context = BodyLimits;

    fn from_fields(fields: &mut Fields<'_>, limits: &BodyLimits) -> Option<Self> {
        let content = fields.required("content", "send the document's text", |field| {
            field.filled_text(limits.max_bytes)
        });
        let format = fields.optional("format", |field| {
            field.parsed(|text| match text {
                "text" => Ok(DocumentFormat::Text),
                "markdown" => Ok(DocumentFormat::Markdown),
                "html" => Ok(DocumentFormat::Html),
                _ => Err("send `text`, `markdown` or `html`"),
            })
        });
        let id = fields.optional("id", |field| field.parsed(DocumentId::new));
        let title = fields.optional("title", |field| field.filled_text(MAX_TITLE));
        Some(Self { content: content?, format, id, title })
    }
}

impl From<DocumentBody> for NewDocument {
    fn from(body: DocumentBody) -> Self {
        Self {
            id: body.id,
            title: body.title,
            format: body.format.unwrap_or_default(),
            content: body.content,
        }
    }
}

/// Add a document
///
/// From the next question on, answers may quote it, to you alone. It is durable when it is answered.
/// The same id again replaces the document.
#[utoipa::path(
    post,
    path = "/api/v1/unified/documents",
    operation_id = "addDocument",
    tag = "unified",
    request_body(content = DocumentBody, description = "The document.", examples(
        ("text" = (summary = "Plain text", value = json!({
            "id": "parking", "format": "text", "content": "An hour of parking costs 2 euros."}))),
    )),
    responses((status = 200, description = "The document is answered from.", body = DocumentResult)),
)]
pub(super) async fn add_document(
    State(state): State<ApiState>,
    JsonBody(body): JsonBody<DocumentBody>,
) -> Result<Json<DocumentResult>, Problem> {
    let tenant = TenantId::default();
    let (document, replaced) = state.orchestrator.add_document(&tenant, body.into()).await?;
    Ok(Json(DocumentResult { document, replaced }))
}

/// List the documents that were added
///
/// In the order of their ids. The files of configured folders are not among them.
#[utoipa::path(
    get,
    path = "/api/v1/unified/documents",
    operation_id = "listDocuments",
    tag = "unified",
    params(ListQuery),
    responses((status = 200, description = "The documents.", body = DocumentList)),
)]
pub(super) async fn list_documents(
    State(state): State<ApiState>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<DocumentList>, Problem> {
    let Query(query) = query.map_err(|_| {
        invalid_query(
            "is not understood",
            "send `after` (an id) and `limit` (1 to 1000), or neither",
        )
    })?;
    let limit = query.limit.unwrap_or(LISTED);
    if !(1..=MOST_LISTED).contains(&limit) {
        return Err(invalid_query(
            "has a `limit` out of range",
            "send a whole number from 1 to 1000",
        ));
    }
    let tenant = TenantId::default();
    // One more than asked for tells whether there are more.
    let mut documents = state.orchestrator.documents(&tenant, query.after.as_ref(), limit + 1);
    let more = documents.len() > limit;
    documents.truncate(limit);
    let next = documents.last().filter(|_| more).map(|last| last.id.clone());
    Ok(Json(DocumentList { documents, next }))
}

/// Remove a document
///
/// No answer quotes it any more, and what was remembered from it is stale. Removing it again changes
/// nothing.
#[utoipa::path(
    delete,
    path = "/api/v1/unified/documents/{id}",
    operation_id = "removeDocument",
    tag = "unified",
    params(("id" = String, Path, description = "The document's id.", example = "parking")),
    responses((status = 200, description = "It is not there any more.", body = DocumentRemoval)),
)]
pub(super) async fn remove_document(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<DocumentRemoval>, Problem> {
    let id = id.ok().and_then(|Path(id)| DocumentId::new(&id).ok()).ok_or_else(|| {
        Problem::invalid(vec![FieldError {
            pointer: "/id".to_owned(),
            detail: "is no document's id".to_owned(),
            fix: "send 1 to 128 letters, digits and - _ . : @".to_owned(),
        }])
    })?;
    let removed = state.orchestrator.remove_document(&TenantId::default(), &id).await?;
    Ok(Json(DocumentRemoval { removed }))
}

pub(super) fn invalid_query(detail: &str, fix: &str) -> Problem {
    Problem::invalid(vec![FieldError {
        pointer: "/query".to_owned(),
        detail: detail.to_owned(),
        fix: fix.to_owned(),
    }])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::fields;

    fn read(body: Value) -> Result<DocumentBody, Vec<String>> {
        let Value::Object(body) = body else { panic!("not an object") };
        fields::read(body, &BodyLimits::default())
            .map_err(|problem| problem.errors().iter().map(|e| e.pointer.clone()).collect())
    }

    #[test]
    fn a_document_needs_its_content_alone() {
        let body = read(json!({"content": "Text."})).unwrap();
        assert_eq!(NewDocument::from(body).format, DocumentFormat::Markdown);
        let body = read(json!({"content": "<p>Text.", "format": "html", "id": "a:1"})).unwrap();
        assert_eq!(body.id.unwrap().as_str(), "a:1");
    }

    #[test]
    fn every_fault_is_named() {
        let body = json!({"content": " ", "format": "pdf", "id": "a/b", "title": "", "tags": []});
        let wanted = ["/content", "/format", "/id", "/title", "/tags"];
        assert_eq!(read(body), Err(wanted.map(str::to_owned).to_vec()));
        assert_eq!(read(json!({})), Err(vec!["/content".to_owned()]));
    }
}
