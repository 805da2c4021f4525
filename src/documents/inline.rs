//! Inline Markdown, stripped to clean prose.

/// Longest link target or tag that is looked for; keeps hostile text from costing square time.
const MAX_TARGET: usize = 300;

/// HTML elements that are dropped. Anything else in angle brackets is a placeholder and stays.
const TAGS: &[&str] = &[
    "a", "b", "br", "center", "code", "details", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6",
    "hr", "i", "img", "kbd", "li", "ol", "p", "picture", "pre", "source", "span", "strong", "sub",
    "summary", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
];

const ENTITIES: &[(&str, char)] =
    &[("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&nbsp;", ' ')];

/// Removes emphasis, code ticks, links' targets, images' addresses, tags and escapes. Keeps the
/// number of line breaks, so that a line can be told from an offset.
pub(super) fn strip(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let brackets = matching_brackets(&chars);
    let mut out = String::with_capacity(text.len());
    // Places where a link's label ends, with the end of its target.
    let mut label_ends: Vec<(usize, usize)> = Vec::new();
    let mut no_closing_ticks = [false; 4];
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if let Some(&(close, end)) = label_ends.last()
            && close == at
        {
            label_ends.pop();
            at = skip(&chars, at, end, &mut out);
            continue;
        }
        let next = chars.get(at + 1).copied();
        at = match c {
            '\\' if next.is_some_and(|n| n.is_ascii_punctuation()) => {
                out.extend(next);
                at + 2
            }
            '`' => code_span(&chars, at, &mut no_closing_ticks, &mut out),
            '!' if next == Some('[') && link_end(&chars, &brackets, at + 1).is_some() => at + 1,
            '[' => {
                if let Some(found) = link_end(&chars, &brackets, at) {
                    label_ends.push(found);
                } else {
                    out.push('[');
                }
                at + 1
            }
            '*' | '_' | '~' => {
                let run = run_length(&chars, at);
                if !is_marker(&chars, at, run, c) {
                    out.extend(std::iter::repeat_n(c, run));
                }
                at + run
            }
            '<' => match angle(&chars, at) {
                Some((end, kept)) => {
                    out.push_str(&kept);
                    skip(&chars, at, end, &mut out)
                }
                None => {
                    out.push('<');
                    at + 1
                }
            },
            '&' => match ENTITIES.iter().find(|(name, _)| starts_with(&chars, at, name)) {
                Some((name, plain)) => {
                    out.push(*plain);
                    at + name.len()
                }
                None => {
                    out.push('&');
                    at + 1
                }
            },
            _ => {
                out.push(c);
                at + 1
            }
        };
    }
    out
}

/// Leaves out `from..to` but for its line breaks.
fn skip(chars: &[char], from: usize, to: usize, out: &mut String) -> usize {
    out.extend(chars.iter().take(to).skip(from).filter(|&&c| c == '\n'));
    to
}

fn run_length(chars: &[char], at: usize) -> usize {
    let first = chars.get(at);
    chars.iter().skip(at).take_while(|c| Some(*c) == first).count()
}

/// The index of each `[`'s partner, 0 where there is none.
fn matching_brackets(chars: &[char]) -> Vec<usize> {
    let mut partner = vec![0; chars.len()];
    let mut open = Vec::new();
    for (i, &c) in chars.iter().enumerate() {
        match c {
            '[' => open.push(i),
            ']' => {
                if let Some(slot) = open.pop().and_then(|o| partner.get_mut(o)) {
                    *slot = i;
                }
            }
            _ => {}
        }
    }
    partner
}

/// For a link that opens at `at`: where its label closes and where its target ends.
fn link_end(chars: &[char], partners: &[usize], at: usize) -> Option<(usize, usize)> {
    let close = partners.get(at).copied().filter(|&c| c > at)?;
    let (shut, first) = match chars.get(close + 1)? {
        '(' => (')', close + 2),
        '[' => (']', close + 2),
        _ => return None,
    };
    let mut depth = 0;
    for (i, &c) in chars.iter().enumerate().skip(first).take(MAX_TARGET) {
        match c {
            '(' if shut == ')' => depth += 1,
            ')' if shut == ')' && depth > 0 => depth -= 1,
            _ if c == shut => return Some((close, i + 1)),
            _ => {}
        }
    }
    None
}

/// Copies a code span without its ticks, or drops ticks that nothing closes.
fn code_span(chars: &[char], at: usize, failed: &mut [bool; 4], out: &mut String) -> usize {
    let ticks = run_length(chars, at);
    let Some(failed) = failed.get_mut(ticks) else { return at + ticks };
    let mut i = at + ticks;
    while !*failed && i < chars.len() {
        if chars.get(i) != Some(&'`') {
            i += 1;
            continue;
        }
        let run = run_length(chars, i);
        if run == ticks {
            out.extend(chars.iter().take(i).skip(at + ticks));
            return i + run;
        }
        i += run;
    }
    *failed = true;
    at + ticks
}

/// Whether a run of `*`, `_` or `~` marks emphasis and is not part of the text.
fn is_marker(chars: &[char], at: usize, run: usize, c: char) -> bool {
    let before = at.checked_sub(1).and_then(|i| chars.get(i)).copied();
    let after = chars.get(at + run).copied();
    let space = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    match c {
        '~' => run == 2,
        _ => run <= 3 && !(space(before) && space(after)) && !(word(before) && word(after)),
    }
}

/// For a `<` at `at` that opens a tag or a web address: where it ends and what is kept of it.
fn angle(chars: &[char], at: usize) -> Option<(usize, String)> {
    let inner: String =
        chars.iter().skip(at + 1).take(MAX_TARGET).take_while(|&&c| c != '>').collect();
    let end = at + 1 + inner.chars().count();
    if chars.get(end) != Some(&'>') {
        return None;
    }
    if inner.starts_with("http://") || inner.starts_with("https://") {
        return Some((end + 1, inner));
    }
    let name: String = inner
        .trim_start_matches('/')
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    TAGS.contains(&name.as_str()).then(|| (end + 1, String::new()))
}

fn starts_with(chars: &[char], at: usize, wanted: &str) -> bool {
    wanted.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markers_go_and_words_stay() {
        for (marked, plain) in [
            ("**Bold.** and _soft_", "Bold. and soft"),
            ("set `runtime_first.fallback` to `*`", "set runtime_first.fallback to *"),
            ("runtime_first and 2*10 and a * b", "runtime_first and 2*10 and a * b"),
            ("see [the *guide*](docs/guide.md \"Guide\").", "see the guide."),
            ("![logo](a(b).png) then [ref][1]", "logo then ref"),
            ("an array[0] and [x]", "an array[0] and [x]"),
            ("<b>x</b> &lt; <FILE> <https://a.b/c>", "x < <FILE> https://a.b/c"),
            (r"1\. not \*a\* list", "1. not *a* list"),
            ("a lone ` tick", "a lone  tick"),
            ("``two `in` one``", "two `in` one"),
            ("~~old~~ new, about ~5", "old new, about ~5"),
        ] {
            assert_eq!(strip(marked), plain);
        }
    }

    #[test]
    fn hostile_brackets_cost_linear_time() {
        for unit in ["[", "](", "[](", "`a``b```", "<", "**_"] {
            let text = unit.repeat(20_000);
            assert!(strip(&text).len() <= text.len());
        }
    }

    proptest! {
        #[test]
        fn line_breaks_are_kept(text in "[\\[\\]()!*_`<>a1 \\n\\\\/&~h]{0,80}") {
            let count = |t: &str| t.matches('\n').count();
            prop_assert_eq!(count(&strip(&text)), count(&text));
        }

        #[test]
        fn plain_words_are_left_alone(text in "[a-z0-9 ,.?]{0,80}") {
            prop_assert_eq!(strip(&text), text);
        }
    }
}
