//! The messages of a chat: the last of the user is the question, the earlier ones are the
//! conversation, the system's are standing instructions.

use serde_json::Value;

use crate::{
    domain::{Role, Turn},
    http::{
        RequestLimits,
        fields::{self, Field, Fields},
    },
};

/// Most messages of one chat, and most parts of one message.
const MOST_MESSAGES: usize = 2048;
const MOST_PARTS: usize = 256;
/// What clients send by default says nothing, and need not keep solvers from answering.
const TRIVIAL: &str = "you are a helpful assistant";

/// Stands for a question without words, such as an image alone.
const WORDLESS: &str = "(no text)";

/// The messages, understood.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Conversation {
    /// The question.
    pub(super) input: String,
    /// Standing instructions.
    pub(super) instructions: Option<String>,
    /// The conversation before the question, oldest first.
    pub(super) turns: Vec<Turn>,
    /// The messages as they came, where they go on as they are.
    pub(super) verbatim: Option<Value>,
    /// Where the first thing stands that only goes on as it is, as a JSON Pointer.
    pub(super) beyond_text: Option<String>,
}

/// Reads `messages`. `pass_on` says that they go on as they are whatever they hold.
pub(super) fn read(
    field: Field<'_>,
    pass_on: bool,
    limits: &RequestLimits,
) -> Option<Conversation> {
    let beyond_text = beyond_text(field.value());
    let Some(question) = last_of_user(field.value()) else {
        return no_question(field);
    };
    let verbatim = (pass_on || beyond_text.is_some()).then(|| field.value().clone());
    let mut left = limits.max_input_chars.saturating_add(limits.max_context_chars);
    let mut instructions = Vec::new();
    let messages = field.items(MOST_MESSAGES, |index, message| {
        let most = if index == question { limits.max_input_chars.min(left) } else { left };
        let must_say = index == question && verbatim.is_none();
        let (speaker, text) = message.object(|fields| spoken(fields, must_say, most))?;
        left = left.saturating_sub(text.chars().count());
        Some((index, speaker, text))
    })?;
    let mut conversation = Conversation { verbatim, beyond_text, ..Conversation::default() };
    for (index, speaker, text) in messages {
        match speaker {
            Speaker::System => instructions.push(text),
            _ if index == question && fields::is_blank(&text) => {
                conversation.input = WORDLESS.to_owned();
            }
            _ if index == question => conversation.input = text,
            // What follows the question is not text alone, and goes on as it is.
            _ if index > question || fields::is_blank(&text) => {}
            Speaker::User => conversation.turns.push(Turn { role: Role::User, content: text }),
            Speaker::Assistant => {
                conversation.turns.push(Turn { role: Role::Assistant, content: text });
            }
            Speaker::Tool => {}
        }
    }
    instructions.retain(|text| !says_nothing(text));
    conversation.instructions = (!instructions.is_empty()).then(|| instructions.join("\n\n"));
    Some(conversation)
}

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    System,
    User,
    Assistant,
    Tool,
}

fn no_question<T>(messages: Field<'_>) -> Option<T> {
    if messages.value().is_array() {
        messages.refuse("has no message of the user", "send a message with \"role\": \"user\"")
    } else {
        messages.mistyped("an array of messages")
    }
}

/// Who says what in one message; what is not text is left out.
fn spoken(fields: &mut Fields<'_>, must_say: bool, most: usize) -> Option<(Speaker, String)> {
    let speaker = fields.required("role", "send system, developer, user, assistant or tool", |f| {
        match f.value().as_str() {
            Some("system" | "developer") => Some(Speaker::System),
            Some("user") => Some(Speaker::User),
            Some("assistant") => Some(Speaker::Assistant),
            Some("tool") => Some(Speaker::Tool),
            _ => f.refuse("is no role", "send system, developer, user, assistant or tool"),
        }
    });
    let may_be_silent = matches!(speaker, None | Some(Speaker::Assistant));
    let content = if may_be_silent && !fields.has("content") {
        Some(String::new())
    } else {
        fields.required("content", "send a string or an array of parts", |field| {
            if must_say && is_blank(field.value()) {
                return field.refuse("is empty", "send a text with more than white space");
            }
            text(field, most)
        })
    };
    fields.ignore_the_rest();
    Some((speaker?, content?))
}

/// The text of a message, or of its parts that are text.
fn text(field: Field<'_>, most: usize) -> Option<String> {
    if field.is_text() {
        return field.text(most);
    }
    if !field.value().is_array() {
        return field.mistyped("a string or an array of parts");
    }
    let mut left = most;
    let parts = field.items(MOST_PARTS, |_, part| {
        part.object(|fields| {
            let text = fields.required("type", "send \"text\"", |kind| {
                if kind.is_text() {
                    Some(kind.value() == "text")
                } else {
                    kind.mistyped("a string")
                }
            });
            let text = match text? {
                true => fields.required("text", "send the text", |f| f.text(left))?,
                false => String::new(),
            };
            fields.ignore_the_rest();
            left = left.saturating_sub(text.chars().count());
            Some(text)
        })
    })?;
    Some(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n"))
}

fn is_blank(content: &Value) -> bool {
    let blank = |text: Option<&Value>| text.and_then(Value::as_str).is_some_and(fields::is_blank);
    match content {
        Value::Array(parts) => parts.iter().all(|part| blank(part.get("text"))),
        content => blank(Some(content)),
    }
}

fn says_nothing(instructions: &str) -> bool {
    let said = instructions.trim().trim_end_matches('.').trim_end();
    fields::is_blank(said) || said.eq_ignore_ascii_case(TRIVIAL)
}

fn role(message: &Value) -> Option<&str> {
    message.get("role")?.as_str()
}

fn last_of_user(messages: &Value) -> Option<usize> {
    messages.as_array()?.iter().rposition(|message| role(message) == Some("user"))
}

/// Where the first thing stands that turns and instructions cannot express.
fn beyond_text(messages: &Value) -> Option<String> {
    let messages = messages.as_array()?;
    let found = messages.iter().enumerate().find_map(|(index, message)| {
        let there = |name: &str| message.get(name).is_some_and(|value| !is_nothing(value));
        let part = message.get("content").and_then(Value::as_array).and_then(|parts| {
            let kind = |part: &Value| part.get("type").is_some_and(|kind| kind != "text");
            parts.iter().position(kind).map(|part| format!("/content/{part}"))
        });
        let member = ["tool_calls", "function_call", "audio", "refusal", "name"]
            .iter()
            .find(|name| there(name))
            .map(|name| format!("/{name}"));
        let tool = (role(message) == Some("tool")).then(|| "/role".to_owned());
        tool.or(part).or(member).map(|rest| format!("/messages/{index}{rest}"))
    });
    // An answer that is to be gone on with.
    let last = messages.len().saturating_sub(1);
    let begun = messages.last().is_some_and(|message| role(message) == Some("assistant"));
    found.or_else(|| begun.then(|| format!("/messages/{last}/role")))
}

/// Clients send back what they were sent, absent members and all.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::{FromFields, Problem, fields};

    struct Messages(Conversation);

    impl FromFields for Messages {
        type Context = RequestLimits;

        fn from_fields(fields: &mut Fields<'_>, limits: &RequestLimits) -> Option<Self> {
            fields.required("messages", "send them", |f| read(f, false, limits)).map(Self)
        }
    }

    fn understood(messages: Value) -> Result<Conversation, Problem> {
        let Value::Object(body) = json!({ "messages": messages }) else { panic!("no object") };
        let limits = RequestLimits {
            max_input_chars: 30,
            max_context_chars: 30,
            ..RequestLimits::default()
        };
        fields::read::<Messages>(body, &limits).map(|messages| messages.0)
    }

    #[test]
    fn the_last_of_the_user_is_the_question_and_what_came_before_the_conversation() {
        let conversation = understood(json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "hello", "refusal": null, "tool_calls": []},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": [{"type": "text", "text": "2 + 2?"}, {"type": "text", "text": "now"}]},
        ]))
        .unwrap();
        let turn = |role, content: &str| Turn { role, content: content.to_owned() };
        assert_eq!(conversation.input, "2 + 2?\nnow");
        assert_eq!(conversation.instructions.as_deref(), Some("Be brief.\n\nBe kind."));
        assert_eq!(conversation.turns, [turn(Role::User, "hi"), turn(Role::Assistant, "hello")]);
        assert_eq!((conversation.verbatim, conversation.beyond_text), (None, None));
    }

    #[test]
    fn the_default_system_prompt_of_clients_is_no_instruction() {
        for (said, instructs) in [
            ("You are a helpful assistant.", false),
            (" you are a HELPFUL assistant", false),
            ("You are a helpful assistant. Answer in French.", true),
        ] {
            let conversation = understood(json!([
                {"role": "system", "content": said}, {"role": "user", "content": "2 + 2?"},
            ]));
            let limit = conversation.map(|c| c.instructions.is_some());
            assert_eq!(limit.unwrap_or(instructs), instructs, "{said}");
        }
    }

    #[test]
    fn what_text_cannot_express_goes_on_as_it_is_and_is_named() {
        let image =
            json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}});
        let call =
            json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}});
        for (messages, place) in [
            (json!([{"role": "user", "content": [image]}]), "/messages/0/content/0"),
            (
                json!([{"role": "user", "content": "x"}, {"role": "assistant", "content": null,
                "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c", "content": "7"}]),
                "/messages/1/tool_calls",
            ),
            (json!([{"role": "user", "content": "x", "name": "ann"}]), "/messages/0/name"),
            (
                json!([{"role": "user", "content": "x"}, {"role": "assistant", "content": "I"}]),
                "/messages/1/role",
            ),
        ] {
            let conversation = understood(messages.clone()).unwrap();
            assert_eq!(conversation.beyond_text.as_deref(), Some(place));
            assert_eq!(conversation.verbatim, Some(messages));
            assert!(!conversation.input.is_empty());
        }
    }

    #[test]
    fn each_fault_is_named_where_it_stands() {
        for (messages, place) in [
            (json!("hi"), "/messages"),
            (json!([]), "/messages"),
            (json!([{"role": "system", "content": "x"}]), "/messages"),
            (json!([{"role": "user", "content": " "}]), "/messages/0/content"),
            (json!([{"role": "user", "content": "\u{200B}\u{FE0F}"}]), "/messages/0/content"),
            (
                json!([{"role": "user", "content": [{"type": "text", "text": "\u{FEFF}\u{1}"}]}]),
                "/messages/0/content",
            ),
            (json!([{"role": "user", "content": []}]), "/messages/0/content"),
            (json!([{"role": "user"}]), "/messages/0/content"),
            (json!([{"role": "user", "content": 7}]), "/messages/0/content"),
            (json!([{"role": "user", "content": "x".repeat(31)}]), "/messages/0/content"),
            (
                json!([{"role": "function", "content": "x"}, {"role": "user", "content": "x"}]),
                "/messages/0/role",
            ),
            (
                json!([{"role": "user", "content": [{"type": "text"}, {"type": "image_url"}]}]),
                "/messages/0/content/0/text",
            ),
            (json!([7, {"role": "user", "content": "x"}]), "/messages/0"),
        ] {
            let problem = understood(messages.clone()).unwrap_err();
            let places: Vec<_> = problem.errors().iter().map(|e| e.pointer.as_str()).collect();
            assert_eq!(places, [place], "{messages}");
        }
    }
}
