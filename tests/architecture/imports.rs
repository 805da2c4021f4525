//! Which rooms a source file names, read from its tokens: comments, strings and test modules do not
//! count; `use` groups, inline paths and `super` chains that leave the room do.

/// What a file names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    /// Every path that starts at the crate's root.
    pub(super) arrows: Vec<Arrow>,
    /// Modules behind `#[cfg(test)]` that have a file of their own: `src/room/name`.
    pub(super) test_modules: Vec<String>,
}

/// One path from the crate's root.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) line: usize,
    pub(super) target: Target,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `crate::item`.
    Item(String),
    /// The root itself, renamed or taken whole (`use crate::*`), which hides the arrow.
    Whole,
}

/// Reads one file. `path` starts with `src/` and decides how far `super` reaches.
pub(super) fn read(path: &str, text: &str) -> Source {
    let tokens = tokens(text);
    let inside = path.strip_prefix("src/").unwrap_or(path);
    // src/main.rs sees the library by its name; everything else by `crate`.
    let root = if inside == "main.rs" { "meta_orchestrator" } else { "crate" };
    let mut reader =
        Reader { tokens: &tokens, root, home: module_of(inside), found: Source::default() };
    reader.read();
    reader.found
}

/// The module path of a file: `lake/mod.rs` is `[lake]`, `lake/recall.rs` is `[lake, recall]`.
fn module_of(inside: &str) -> Vec<String> {
    let mut path: Vec<String> =
        inside.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if path.last().is_some_and(|last| ["mod", "main", "lib"].contains(&last.as_str())) {
        path.pop();
    }
    path
}

struct Reader<'a> {
    tokens: &'a [Token],
    root: &'a str,
    home: Vec<String>,
    found: Source,
}

impl Reader<'_> {
    fn read(&mut self) {
        // Inline modules that are open, each with the brace depth of its body.
        let mut open: Vec<(String, usize)> = Vec::new();
        let mut braces = 0_usize;
        let mut at = 0;
        while let Some(token) = self.tokens.get(at) {
            if self.matches(at, &["#", "[", "cfg", "(", "test", ")", "]"]) {
                at = self.skip_item(at + 7);
                continue;
            }
            match token.text.as_str() {
                "{" => braces += 1,
                "}" => {
                    braces = braces.saturating_sub(1);
                    open.retain(|(_, depth)| *depth <= braces);
                }
                "mod" if self.is(at + 2, "{") => open.push((self.text(at + 1), braces + 1)),
                word if word == self.root => self.from_root(at),
                "super" if !self.is_path_tail(at) => self.from_super(at, open.len()),
                _ => {}
            }
            at += 1;
        }
    }

    /// A path that begins with the root's name.
    fn from_root(&mut self, at: usize) {
        if self.is_path_tail(at) {
            return;
        }
        if self.matches(at + 1, &[":", ":"]) {
            self.segment(at + 3);
        } else if self.is(at + 1, "as") {
            self.arrow(at, Target::Whole);
        }
    }

    /// A chain of `super` long enough to leave the file's room.
    fn from_super(&mut self, at: usize, inline: usize) {
        let mut ups = 1;
        let mut next = at + 1;
        while self.matches(next, &[":", ":", "super"]) {
            ups += 1;
            next += 3;
        }
        if ups >= self.home.len() + inline && self.matches(next, &[":", ":"]) {
            self.segment(next + 2);
        }
    }

    /// What follows `root::`: one name, a group of names, or everything.
    fn segment(&mut self, at: usize) {
        match self.text(at).as_str() {
            "{" => {
                for first in self.group(at) {
                    self.segment(first);
                }
            }
            "*" | "self" => self.arrow(at, Target::Whole),
            "super" => {}
            name => self.arrow(at, Target::Item(name.to_owned())),
        }
    }

    /// Where each element of the group that opens at `at` begins.
    fn group(&self, at: usize) -> Vec<usize> {
        let mut elements = Vec::new();
        let mut depth = 0_usize;
        let mut fresh = false;
        for (i, token) in self.tokens.iter().enumerate().skip(at) {
            match token.text.as_str() {
                "{" => {
                    if depth == 1 && fresh {
                        elements.push(i);
                    }
                    depth += 1;
                    fresh = depth == 1;
                }
                "}" if depth <= 1 => break,
                "}" => depth -= 1,
                "," if depth == 1 => fresh = true,
                _ if depth == 1 && fresh => {
                    elements.push(i);
                    fresh = false;
                }
                _ => {}
            }
        }
        elements
    }

    /// Where the item that starts at `at` ends; notes a test module that lives in its own file.
    fn skip_item(&mut self, mut at: usize) -> usize {
        while self.matches(at, &["#", "["]) {
            at = self.closing(at + 1) + 1;
        }
        let begin = at;
        while at < self.tokens.len() && !self.is(at, ";") && !self.is(at, "{") {
            at = if self.is(at, "(") || self.is(at, "[") { self.closing(at) + 1 } else { at + 1 };
        }
        let is_module = (begin..at).any(|i| self.is(i, "mod"));
        if self.is(at, ";") && is_module && at > 0 {
            let mut path = self.home.clone();
            path.push(self.text(at - 1));
            self.found.test_modules.push(format!("src/{}", path.join("/")));
        }
        if !self.is(at, "{") {
            return at + 1;
        }
        let end = self.closing(at) + 1;
        // `use a::{b};` goes on to its semicolon.
        if self.is(begin, "use") && self.is(end, ";") { end + 1 } else { end }
    }

    /// The index of the bracket that closes the one at `at`.
    fn closing(&self, at: usize) -> usize {
        let mut depth = 0_usize;
        for (i, token) in self.tokens.iter().enumerate().skip(at) {
            match token.text.as_str() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return i;
            }
        }
        self.tokens.len()
    }

    fn arrow(&mut self, at: usize, target: Target) {
        let line = self.tokens.get(at).map_or(0, |token| token.line);
        self.found.arrows.push(Arrow { line, target });
    }

    /// Whether the name at `at` continues a path, as `b` does in `a::b`.
    fn is_path_tail(&self, at: usize) -> bool {
        at >= 3
            && self.matches(at - 2, &[":", ":"])
            && self.tokens.get(at - 3).is_some_and(|token| token.is_name())
    }

    fn is(&self, at: usize, text: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.text == text)
    }

    fn matches(&self, at: usize, texts: &[&str]) -> bool {
        texts.iter().enumerate().all(|(i, text)| self.is(at + i, text))
    }

    fn text(&self, at: usize) -> String {
        self.tokens.get(at).map_or_else(String::new, |token| token.text.clone())
    }
}

/// A name or one character of punctuation.
#[derive(Debug)]
struct Token {
    text: String,
    line: usize,
}

impl Token {
    fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c == '_' || c.is_alphabetic())
    }
}

/// The tokens of a source text, without comments, strings and lifetimes.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut found = Vec::new();
    let mut i = 0;
    let mut line = 1;
    while i < chars.len() {
        let start = i;
        match at(i) {
            '/' if at(i + 1) == '/' => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            '/' if at(i + 1) == '*' => i = after_block_comment(&chars, i),
            '"' => i = after_string(&chars, i + 1),
            '\'' => i = after_quote(&chars, i),
            c if c == '_' || c.is_alphabetic() => {
                while at(i) == '_' || at(i).is_alphanumeric() {
                    i += 1;
                }
                let name: String = chars.get(start..i).unwrap_or_default().iter().collect();
                let hashes = (0..).take_while(|k| at(i + k) == '#').count();
                let raw = matches!(name.as_str(), "r" | "br" | "cr");
                if raw && at(i + hashes) == '"' {
                    i = after_raw_string(&chars, i + hashes + 1, hashes);
                } else if name == "r" && hashes == 1 {
                    // A raw name: `r#type` reads as `type`.
                    i += 1;
                } else {
                    found.push(Token { text: name, line });
                }
            }
            c if c.is_whitespace() => i += 1,
            c => {
                found.push(Token { text: c.to_string(), line });
                i += 1;
            }
        }
        line += chars.get(start..i).unwrap_or_default().iter().filter(|c| **c == '\n').count();
    }
    found
}

/// Block comments nest.
fn after_block_comment(chars: &[char], mut i: usize) -> usize {
    let mut depth = 0_usize;
    while i < chars.len() {
        match (chars.get(i), chars.get(i + 1)) {
            (Some('/'), Some('*')) => {
                depth += 1;
                i += 2;
            }
            (Some('*'), Some('/')) => {
                depth -= 1;
                i += 2;
            }
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn after_string(chars: &[char], mut i: usize) -> usize {
    while let Some(c) = chars.get(i) {
        match c {
            '"' => return i + 1,
            '\\' => i += 2,
            _ => i += 1,
        }
    }
    i
}

fn after_raw_string(chars: &[char], mut i: usize, hashes: usize) -> usize {
    while i < chars.len() {
        let closes =
            chars.get(i) == Some(&'"') && (1..=hashes).all(|k| chars.get(i + k) == Some(&'#'));
        i += 1;
        if closes {
            return i + hashes;
        }
    }
    i
}

/// A character literal is left out whole; of a lifetime only the quote is.
fn after_quote(chars: &[char], i: usize) -> usize {
    match (chars.get(i + 1), chars.get(i + 2)) {
        (Some('\\'), _) => {
            let closing = chars.iter().skip(i + 3).position(|c| *c == '\'');
            closing.map_or(chars.len(), |offset| i + 3 + offset + 1)
        }
        (Some(_), Some('\'')) => i + 3,
        _ => i + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names at the crate's root that a file of `src/flux/` mentions, with their lines.
    fn named(text: &str) -> Vec<(usize, String)> {
        read("src/flux/recall.rs", text)
            .arrows
            .into_iter()
            .map(|arrow| match arrow.target {
                Target::Item(name) => (arrow.line, name),
                Target::Whole => (arrow.line, "*".to_owned()),
            })
            .collect()
    }

    fn names(text: &str) -> Vec<String> {
        named(text).into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn single_grouped_and_nested_imports_are_seen() {
        assert_eq!(names("use crate::lake::Lake;"), ["lake"]);
        assert_eq!(
            named("use crate::{\n    domain::{Draft, Signal, scale::{A, B}},\n    text,\n};"),
            [(2, "domain".to_owned()), (3, "text".to_owned())]
        );
        assert_eq!(names("use {crate::a, std::fmt, crate::{b, c as d}};"), ["a", "b", "c"]);
        assert_eq!(names("use crate::{{a, b}, c};"), ["a", "b", "c"]);
    }

    #[test]
    fn inline_and_macro_paths_are_seen() {
        assert_eq!(
            names("fn f(x: &crate::meta::M) -> Option<crate::http::H> {}"),
            ["meta", "http"]
        );
        assert_eq!(names("macro_rules! m { () => { $crate::asi::f() } }"), ["asi"]);
        assert_eq!(names("pub(in crate::flux) struct S;"), ["flux"]);
        assert_eq!(names("pub(crate) fn f() {}"), [""; 0]);
        assert_eq!(names("use crate::r#loop::X;"), ["loop"]);
    }

    #[test]
    fn super_counts_only_where_it_leaves_the_room() {
        assert_eq!(names("use super::ladder::Rank;"), [""; 0]);
        assert_eq!(names("use super::super::meta::M;"), ["meta"]);
        assert_eq!(names("mod inner { use super::super::ladder::R; }"), [""; 0]);
        assert_eq!(names("mod inner { use super::super::super::{asi, lake}; }"), ["asi", "lake"]);
        assert_eq!(names("mod inner {} use super::super::meta::M;"), ["meta"]);
        let in_mod_rs = read("src/flux/mod.rs", "use super::meta::M;").arrows;
        assert_eq!(in_mod_rs, [Arrow { line: 1, target: Target::Item("meta".to_owned()) }]);
    }

    #[test]
    fn comments_strings_and_lifetimes_say_nothing() {
        assert_eq!(
            names("/// [`crate::meta`]\n// crate::a\n/* /* crate::b */ crate::c */"),
            [""; 0]
        );
        assert_eq!(
            names(r####"let s = ("crate::a \" crate::b", r#"crate::"c"#, b"crate::d");"####),
            [""; 0]
        );
        assert_eq!(
            named("fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' }\nuse crate::x;"),
            [(2, "x".to_owned())]
        );
        assert_eq!(named("let s = \"\n\n\"; /*\n*/ crate::x()"), [(4, "x".to_owned())]);
    }

    #[test]
    fn test_code_is_left_out_and_what_follows_it_is_not() {
        assert_eq!(names("#[cfg(test)]\nmod tests { use crate::meta::M; }\nuse crate::x;"), ["x"]);
        assert_eq!(names("#[cfg(test)] use crate::{meta, http};\nuse crate::x;"), ["x"]);
        assert_eq!(
            names(
                "#[cfg(test)] #[allow(a)] pub(crate) fn f(a: [u8; 2]) { crate::meta::f() } crate::x;"
            ),
            ["x"]
        );
        assert_eq!(names("#[cfg(not(test))] use crate::meta;"), ["meta"]);
    }

    #[test]
    fn a_test_module_with_its_own_file_is_noted() {
        let source = read("src/lake/mod.rs", "#[cfg(test)]\npub(crate) mod fixture;\nmod real;");
        assert_eq!(source.test_modules, ["src/lake/fixture"]);
    }
}
