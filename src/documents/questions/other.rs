//! Questions that use a document's words and ask for something that it does not say: of other
//! numbers, names and things, or for a reason, a person, a place where it tells a duration. In
//! `other_question.tsv` a trap is a line without a wanted answer; the lines with one are there so
//! that silence is not bought by saying nothing. `everyday.txt` is asked of the bundled guide.
//!
//! Every second line was tuned by, the others were not: both halves were written before the first
//! run.

use super::{OFFERED, tests::ask, *};

/// What a question found: whether the halves are told apart is up to the caller.
struct Found {
    question: &'static str,
    wanted: &'static str,
    offered: Option<(f64, String)>,
}

fn handbook() -> Documents {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("other_documents.md");
    std::fs::write(folder.path().join("handbook.md"), text).unwrap();
    let options = DocumentsOptions { bundled: false, ..DocumentsOptions::default() };
    Documents::open(&[folder.path().to_owned()], &options).unwrap().0
}

/// Asks each question of the documents, and in a passage that comes with the question.
fn found(documents: &Documents, table: &'static str) -> Vec<Found> {
    let lines = table.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let (question, wanted) = line.split_once('\t').unwrap_or((line, ""));
            let draft = ask(documents, question, &[]).drafts.into_iter().next();
            let offered = draft.map(|draft| (draft.signal.get(), draft.content));
            Found { question, wanted, offered: offered.filter(|(signal, _)| *signal >= OFFERED) }
        })
        .collect()
}

impl Found {
    fn is_right(&self) -> bool {
        match &self.offered {
            None => self.wanted.is_empty(),
            Some((_, text)) => !self.wanted.is_empty() && text.contains(self.wanted),
        }
    }
}

/// The shares of traps met with silence and of answers given, of one half.
fn shares(found: &[Found], half: usize) -> (f64, f64) {
    let share = |traps: bool| {
        let of: Vec<&Found> = found
            .iter()
            .enumerate()
            .filter(|(at, f)| at % 2 == half && f.wanted.is_empty() == traps)
            .map(|(_, f)| f)
            .collect();
        let right = of.iter().filter(|f| f.is_right()).count();
        println!("half {half}, traps {traps}: {right} of {}", of.len());
        if of.is_empty() { 1.0 } else { right as f64 / of.len() as f64 }
    };
    (share(true), share(false))
}

/// Prints what went wrong in the half that is tuned by; the other half's wrongs are only counted.
fn show(found: &[Found]) {
    for f in found.iter().step_by(2).filter(|f| !f.is_right()) {
        println!("{}\n  wanted {:?}, found {:?}", f.question, f.wanted, f.offered);
    }
}

#[test]
fn a_document_does_not_answer_another_question() {
    let found = found(&handbook(), include_str!("other_question.tsv"));
    show(&found);
    let ((tuned, answered), (fresh, fresh_answered)) = (shares(&found, 0), shares(&found, 1));
    assert!(tuned >= 0.95 && fresh >= 0.9, "{tuned} {fresh}");
    // Before anything was held against them: 10 of 49 and 16 of 43 traps, 17 of 19 and 21 of 25
    // answers.
    assert!(answered >= 0.85 && fresh_answered >= 0.84, "{answered} {fresh_answered}");
}

#[test]
fn the_guide_does_not_answer_everyday_questions() {
    let found = found(&Documents::bundled().unwrap(), include_str!("everyday.txt"));
    show(&found);
    let ((tuned, _), (fresh, _)) = (shares(&found, 0), shares(&found, 1));
    assert!(tuned >= 0.95 && fresh >= 0.9, "{tuned} {fresh}");
}

/// The words by which a question's kind and things are told are English: what has none of them is
/// judged as before.
#[test]
fn a_question_in_another_language_is_not_judged_by_english_words() {
    let text = "Die Bibliothek öffnet um neun Uhr. Ein Mitglied darf acht Bücher ausleihen.";
    let passage = [Passage { source: "a".into(), text: text.into() }];
    let documents = Documents::bundled().unwrap();
    for (question, wanted) in [
        ("Wann öffnet die Bibliothek?", "neun Uhr"),
        ("Darf ein Mitglied acht Bücher heute ausleihen?", "acht Bücher"),
    ] {
        let drafts = ask(&documents, question, &passage).drafts;
        assert!(drafts.first().is_some_and(|d| d.content.contains(wanted)), "{question}");
    }
}

/// One guard a line, and beside it the question that the same sentence answers.
#[test]
fn each_guard_holds_alone() {
    let documents = Documents::bundled().unwrap();
    for (text, another, this) in [
        (
            "The coffee grinder has a 3 year warranty.",
            "Does the coffee grinder have a 4 year warranty?",
            "Does the coffee grinder have a 3 year warranty?",
        ),
        (
            "The coffee grinder has a 3 year warranty.",
            "Does the coffee grinder have a 3 month warranty?",
            "What warranty does the coffee grinder have?",
        ),
        (
            "The largest grind setting is 40.",
            "What is the smallest grind setting?",
            "What is the largest grind setting?",
        ),
        (
            "In the plan of the garden, the sign # means a fountain.",
            "What does & mean in the plan of the garden?",
            "What does # mean in the plan of the garden?",
        ),
        ("Visitors must wear a badge.", "Who does not wear a badge?", "Who must wear a badge?"),
        (
            "The fire drill takes place in March.",
            "Does the fire drill take place in April?",
            "When does the fire drill take place?",
        ),
        (
            "Marco has a reserved parking space.",
            "Does Anna have a reserved parking space?",
            "Who has a reserved parking space?",
        ),
        (
            "To start the machine, press the green button.",
            "How do I start the car?",
            "How do I start the machine?",
        ),
        (
            "Lunch is served at noon because the kitchen opens late.",
            "Who serves lunch?",
            "Why is lunch served at noon?",
        ),
        (
            "The archive is stored in the north tower.",
            "Why is the archive stored?",
            "Where is the archive stored?",
        ),
        (
            "To turn the heating off, press the left key.",
            "How do I turn on the heating?",
            "How do I turn off the heating?",
        ),
        (
            "Coffee with milk costs 3 euros.",
            "How much is coffee without milk?",
            "How much is coffee with milk?",
        ),
        (
            "To turn the volume down, press the left key.",
            "How do I turn the volume up?",
            "How do I turn the volume down?",
        ),
        (
            "The reading room has 60 seats.",
            "How many reading rooms are there?",
            "How many seats does the reading room have?",
        ),
    ] {
        let passage = [Passage { source: "a".into(), text: text.into() }];
        let offered = |question: &str| {
            let drafts = ask(&documents, question, &passage).drafts;
            drafts.first().is_some_and(|draft| draft.signal.get() >= OFFERED)
        };
        assert!(!offered(another), "{another}");
        assert!(offered(this), "{this}");
    }
}

/// What the guards against other questions must not hold back: the same words, in another reading;
/// and beside it what they must. Each question is asked of all the passages.
#[test]
fn no_guard_holds_back_an_answer() {
    let documents = Documents::bundled().unwrap();
    let lines = include_str!("plain_question.tsv").lines();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split('\t').collect()).collect();
    let field = |row: &[&'static str], at: usize| row.get(at).copied().unwrap_or_default();
    let mut texts: Vec<&str> = rows.iter().map(|row| field(row, 0)).collect();
    texts.dedup();
    let passage = |text: &&str| Passage { source: "a".into(), text: (*text).into() };
    let passages: Vec<Passage> = texts.iter().map(passage).collect();
    let mut wrong = Vec::new();
    for (question, wanted) in rows.iter().map(|row| (field(row, 1), field(row, 2))) {
        let draft = ask(&documents, question, &passages).drafts.into_iter().next();
        let offered = draft.filter(|draft| draft.signal.get() >= OFFERED).map(|d| d.content);
        let right = match &offered {
            None => wanted.is_empty(),
            Some(content) => !wanted.is_empty() && content.contains(wanted),
        };
        if !right {
            wrong.push(format!("{question}: {offered:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
