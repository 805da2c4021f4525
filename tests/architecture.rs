//! The house rule: a room imports only rooms below it, and only those that its row grants.
//!
//! The table is the one source; `ARCHITECTURE.md` quotes it, and a quoted row that differs fails here.

mod imports;
mod tokens;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use imports::{Source, Target};

/// Rooms from the ground up. A row grants what stands right of its arrow; nothing else.
const TABLE: &str = "
domain       ←
json         ←
text         ← domain
answers      ← domain text
settings     ← domain
telemetry    ← domain settings
solvers      ← domain text
complexity   ← domain text
bandit       ← domain
performance  ← domain bandit
routing      ← domain complexity performance
fusion       ← domain
vcp          ← domain text solvers answers
judgement    ← domain text answers vcp
embedding    ←
store        ← domain json settings telemetry
seal         ← store
providers    ← domain json settings telemetry
ledger       ← domain settings telemetry store
paraphrase   ← domain text embedding
lake         ← domain text embedding paraphrase store seal
documents    ← domain text store seal
sessions     ← domain text store seal
flux         ← domain text answers solvers store lake
asi          ← domain text answers providers documents fusion vcp
learning     ← domain settings telemetry bandit performance routing lake ledger
meta         ← domain text answers telemetry performance complexity routing fusion vcp documents sessions flux asi ledger
http         ← domain json settings telemetry performance meta
evaluation   ← domain answers settings embedding bandit performance complexity routing fusion paraphrase judgement store ledger lake meta
app          ← any of the above
cli          ← domain settings telemetry embedding performance paraphrase judgement http evaluation app
main         ← cli
";

/// The one row without a folder: `src/main.rs`, which sees the library from outside.
const MAIN: &str = "main";

/// Longest a source file may grow, in lines.
const LONGEST: usize = 600;

#[derive(Debug)]
struct Row {
    room: String,
    grants: Vec<String>,
}

/// Reads a table; `any of the above` becomes every room above.
fn read_table(table: &str) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = Vec::new();
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (room, grants) =
            line.split_once('←').ok_or_else(|| format!("no arrow in the row `{line}`"))?;
        let above: Vec<String> = rows.iter().map(|row| row.room.clone()).collect();
        let grants = match grants.trim() {
            "any of the above" => above.clone(),
            names => names.split_whitespace().map(str::to_owned).collect(),
        };
        let room = room.trim().to_owned();
        if above.contains(&room) {
            return Err(format!("`{room}` has two rows"));
        }
        // A grant that stands above its row cannot be part of a cycle.
        if let Some(up) = grants.iter().find(|grant| !above.contains(grant)) {
            return Err(format!("`{room} ← {up}` does not point to a room above it in the table"));
        }
        rows.push(Row { room, grants });
    }
    Ok(rows)
}

fn table() -> Vec<Row> {
    read_table(TABLE).unwrap_or_else(|problem| panic!("{problem}"))
}

/// The arrows of one file that the table does not grant, each as `path:line: what and why`.
fn forbidden(rows: &[Row], path: &str, source: &Source) -> Vec<String> {
    let room = room_of(path);
    let Some(row) = rows.iter().find(|row| row.room == room) else {
        return vec![format!("{path}:1: the room `{room}` has no row in the table")];
    };
    let allowed =
        if row.grants.is_empty() { "no other room".to_owned() } else { row.grants.join(", ") };
    source
        .arrows
        .iter()
        .filter_map(|arrow| {
            let line = arrow.line;
            match &arrow.target {
                Target::Item(to) if *to == row.room || row.grants.contains(to) => None,
                Target::Item(to) if rows.iter().any(|row| row.room == *to) => {
                    Some(format!("{path}:{line}: `{room}` imports `{to}`; it may import {allowed}"))
                }
                Target::Item(to) => {
                    Some(format!("{path}:{line}: `{to}` at the crate's root is no room"))
                }
                Target::Whole => Some(format!(
                    "{path}:{line}: names the crate's root as a whole; name the room, so that the \
                     arrow can be seen"
                )),
            }
        })
        .collect()
}

/// `src/room/…` belongs to `room`, `src/main.rs` to `main`.
fn room_of(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split_once('/').map_or_else(|| inside.trim_end_matches(".rs"), |(room, _)| room)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every `.rs` file under a folder of the package: its path from the package's root, and its text.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                walk(&path, found)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
        Ok(())
    }
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths).unwrap_or_else(|error| panic!("{folder}: {error}"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let name = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy();
            (name.replace('\\', "/"), text)
        })
        .collect()
}

/// Whether a file is only reached through a `#[cfg(test)] mod name;` of one of these files.
fn is_test_only(path: &str, test_modules: &BTreeSet<String>) -> bool {
    let stem = path.trim_end_matches(".rs");
    test_modules.iter().any(|module| {
        stem == module
            || stem.strip_prefix(module.as_str()).is_some_and(|rest| rest.starts_with('/'))
    })
}

#[test]
fn every_arrow_is_granted_by_the_table() {
    let rows = table();
    let sources: Vec<(String, Source)> = rust_files("src")
        .into_iter()
        .filter(|(path, _)| path != "src/lib.rs")
        .map(|(path, text)| {
            let source = imports::read(&path, &text);
            (path, source)
        })
        .collect();
    let test_modules: BTreeSet<String> =
        sources.iter().flat_map(|(_, source)| source.test_modules.iter().cloned()).collect();
    let problems: Vec<String> = sources
        .iter()
        .filter(|(path, _)| !is_test_only(path, &test_modules))
        .flat_map(|(path, source)| forbidden(&rows, path, source))
        .collect();
    assert!(problems.is_empty(), "arrows that the table does not grant:\n{}", problems.join("\n"));
}

#[test]
fn every_room_has_a_row_and_every_row_a_room() {
    let rows: BTreeSet<String> = table().into_iter().map(|row| row.room).collect();
    let rooms: BTreeSet<String> = rust_files("src")
        .iter()
        .map(|(path, _)| room_of(path).to_owned())
        .filter(|room| room != "lib")
        .collect();
    let homeless: Vec<&String> = rooms.difference(&rows).collect();
    let empty: Vec<&String> = rows.difference(&rooms).collect();
    assert!(homeless.is_empty(), "rooms without a row in the table: {homeless:?}");
    assert!(empty.is_empty(), "rows without a room in src/: {empty:?}");
    assert!(rows.contains(MAIN) && rows.contains("domain"));
}

#[test]
fn the_table_points_one_way() {
    read_table(TABLE).expect("a table from the ground up has no cycle");
}

#[test]
fn answering_and_learning_cannot_see_each_other() {
    let rows = table();
    for (from, to) in [("meta", "learning"), ("learning", "meta"), ("http", "learning")] {
        let row = rows.iter().find(|row| row.room == from).expect("the room has a row");
        assert!(!row.grants.iter().any(|grant| grant == to), "{from} must not see {to}");
    }
}

#[test]
fn no_file_outgrows_its_reader() {
    let long: Vec<String> = ["src", "tests"]
        .into_iter()
        .flat_map(rust_files)
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines, to be split:\n{}", long.join("\n"));
}

#[test]
fn the_map_names_every_room_as_the_table_has_it() {
    let Ok(map) = fs::read_to_string(root().join("ARCHITECTURE.md")) else {
        println!("ARCHITECTURE.md is not there yet: nothing to hold against the table");
        return;
    };
    let problems = map_problems(&table(), &map);
    assert!(problems.is_empty(), "ARCHITECTURE.md and the table differ:\n{}", problems.join("\n"));
}

/// Rooms that the map leaves out, and rows that it quotes wrongly.
fn map_problems(rows: &[Row], map: &str) -> Vec<String> {
    let named = |room: &str| {
        map.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == room)
    };
    let unnamed = rows
        .iter()
        .filter(|row| row.room != MAIN && !named(&row.room))
        .map(|row| format!("the room `{}` is not named", row.room));
    let squeeze = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let granted: BTreeSet<String> = TABLE.lines().map(squeeze).collect();
    let misquoted = map.lines().filter_map(|line| {
        let (room, grants) = line.split_once('←')?;
        let room = rows.iter().find(|row| row.room == room.trim())?;
        // What follows two spaces is the map's own remark.
        let grants = grants.trim().split("  ").next().unwrap_or_default();
        let quoted = squeeze(&format!("{} ← {grants}", room.room));
        (!granted.contains(&quoted)).then(|| format!("quotes `{quoted}`, which is not the row"))
    });
    unnamed.chain(misquoted).collect()
}

#[cfg(test)]
mod the_checker_can_fail {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        forbidden(&table(), path, &imports::read(path, text))
    }

    #[test]
    fn an_arrow_up_names_file_line_and_what_is_allowed() {
        let text = "//! Words.\n\nuse crate::domain::Number;\nuse crate::meta::Orchestrator;\n";
        assert_eq!(
            problems("src/text/words.rs", text),
            ["src/text/words.rs:4: `text` imports `meta`; it may import domain"]
        );
    }

    #[test]
    fn a_room_that_the_table_does_not_know_is_refused() {
        assert_eq!(
            problems("src/attic/mod.rs", "use crate::domain::Number;"),
            ["src/attic/mod.rs:1: the room `attic` has no row in the table"]
        );
    }

    #[test]
    fn the_program_sees_only_the_command_line() {
        assert!(problems("src/main.rs", "meta_orchestrator::cli::run()").is_empty());
        assert_eq!(problems("src/main.rs", "meta_orchestrator::app::run()").len(), 1);
    }

    #[test]
    fn hiding_the_arrow_is_refused() {
        for text in ["use crate::*;", "use crate as house;", "use crate::{self as house};"] {
            assert_eq!(problems("src/text/mod.rs", text).len(), 1, "{text}");
        }
        assert_eq!(problems("src/text/mod.rs", "use crate::Anything;").len(), 1);
    }

    #[test]
    fn a_table_with_a_cycle_a_double_or_a_stranger_is_refused() {
        for table in ["a ← b\nb ← a", "a ← a", "a ←\na ←", "a ← nowhere", "a"] {
            assert!(read_table(table).is_err(), "{table}");
        }
        let rows = read_table("a ←\nb ← a\nc ← any of the above").expect("a sound table");
        assert_eq!(rows[2].grants, ["a", "b"]);
    }

    #[test]
    fn a_map_that_drifted_is_told_so() {
        let rows = table();
        let whole = TABLE.replace("text         ← domain\n", "text ← domain   words, likeness\n");
        assert!(map_problems(&rows, &whole).is_empty());
        let drifted = TABLE.replace("fusion       ← domain\n", "fusion ← domain meta\n");
        assert_eq!(
            map_problems(&rows, &drifted),
            ["quotes `fusion ← domain meta`, which is not the row"]
        );
        assert_eq!(map_problems(&rows, "nothing").len(), rows.len() - 1, "all but `main`");
    }

    #[test]
    fn files_of_a_test_module_are_left_alone() {
        let modules = BTreeSet::from(["src/lake/fixture".to_owned()]);
        assert!(is_test_only("src/lake/fixture.rs", &modules));
        assert!(is_test_only("src/lake/fixture/deep.rs", &modules));
        assert!(!is_test_only("src/lake/fixtures.rs", &modules));
    }
}
