//! Server-sent events as a client reads them.
//! Reference: <https://html.spec.whatwg.org/multipage/server-sent-events.html>.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: String,
}

/// All events of a stream, and whether it ended between events.
pub(super) fn events(text: &str) -> (Vec<Event>, bool) {
    let mut events = Vec::new();
    let (mut name, mut data) = (String::new(), Vec::new());
    let mut between = true;
    for line in text.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else { return (events, false) };
        let line = line.strip_suffix('\r').unwrap_or(line);
        between = line.is_empty();
        if between {
            if !data.is_empty() {
                events.push(Event { name: std::mem::take(&mut name), data: data.join("\n") });
            }
            name.clear();
            data.clear();
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut name),
            "data" => data.push(value.to_owned()),
            // Comments are heartbeats; ids are of no use where nothing is resumed.
            _ => {}
        }
    }
    (events, between)
}

#[test]
fn events_are_read_as_the_standard_says() {
    let event = |name: &str, data: &str| Event { name: name.to_owned(), data: data.to_owned() };
    let text = ": hello\n\nevent: a\ndata: 1\ndata:2\n\ndata: x\r\n\r\nevent: no data\n\n";
    assert_eq!(events(text), (vec![event("a", "1\n2"), event("", "x")], true));
    assert_eq!(events("data: 1\n\ndata: 2\n"), (vec![event("", "1")], false));
    assert_eq!(events("data: 1"), (vec![], false));
}
