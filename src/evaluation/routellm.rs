//! `RouteLLM`'s CSV (`routellm/evals/gsm8k/gsm8k_responses.csv` of lm-sys/RouteLLM): a `prompt`,
//! for each model a column of `True`/`False` under its name and a column `<model>_response` with
//! its answer. It has no gold; an added column `gold` is used where there is one.

use std::{io::Read, sync::Arc};

use csv::{Position, StringRecord};

use super::table::{Gold, Row, Table, TableError};

const ANSWER_SUFFIX: &str = "_response";

/// Where the parts of a row stand.
struct Columns {
    prompt: usize,
    gold: Option<usize>,
    models: Vec<Model>,
}

struct Model {
    name: String,
    answer: usize,
    right: Option<usize>,
}

pub(super) fn read_csv(text: &mut impl Read) -> Result<Table, TableError> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text);
    let columns = columns(reader.headers().map_err(|error| unreadable(error, 1))?)?;
    let mut table = Table::default();
    let mut record = StringRecord::new();
    loop {
        let line = reader.position().line();
        if !reader.read_record(&mut record).map_err(|error| unreadable(error, line))? {
            return Ok(table);
        }
        let line = record.position().map_or(line, Position::line);
        let number = table.rows.len() + 1;
        table.rows.push(row(&record, &columns, line, number)?);
    }
}

fn columns(header: &StringRecord) -> Result<Columns, TableError> {
    let wrong = |problem: &str| TableError::Line { line: 1, problem: problem.to_owned() };
    let find = |wanted: &str| header.iter().position(|name| name.trim() == wanted);
    let prompt = find("prompt").ok_or_else(|| {
        wrong("has no column `prompt`; wanted are JSON lines, or CSV with a header as RouteLLM's")
    })?;
    let model = |(answer, column): (usize, &str)| {
        let name = column.trim().strip_suffix(ANSWER_SUFFIX)?.to_owned();
        let right = find(&name).or_else(|| {
            header.iter().position(|other| !other.trim().is_empty() && bare(other) == bare(&name))
        });
        Some(Model { name, answer, right })
    };
    let models: Vec<Model> = header.iter().enumerate().filter_map(model).collect();
    if models.is_empty() {
        return Err(TableError::OutcomesOnly);
    }
    let gold = find("gold");
    if gold.is_none() && models.iter().all(|model| model.right.is_none()) {
        return Err(wrong(
            "has neither a column `gold` nor one that says whether a model was right, named as \
             the model: there is nothing to grade by",
        ));
    }
    Ok(Columns { prompt, gold, models })
}

/// A model's name without its publisher and in lower case: `RouteLLM` writes it both ways.
fn bare(name: &str) -> String {
    let name = name.trim().to_lowercase();
    name.rsplit('/').next().unwrap_or(&name).to_owned()
}

fn row(
    record: &StringRecord,
    columns: &Columns,
    line: u64,
    number: usize,
) -> Result<Row, TableError> {
    let wrong = |problem: String| TableError::Line { line, problem };
    let field = |index: usize| record.get(index).unwrap_or_default();
    let prompt = field(columns.prompt);
    if prompt.trim().is_empty() {
        return Err(wrong("has an empty `prompt`".to_owned()));
    }
    let mut right_answers = Vec::new();
    let mut answers = std::collections::BTreeMap::new();
    for model in &columns.models {
        let text = field(model.answer);
        // A cell cannot say "no answer" otherwise than by being empty.
        if text.trim().is_empty() {
            continue;
        }
        let text: Arc<str> = text.into();
        if let Some(index) = model.right {
            let said = truth(field(index))
                .ok_or_else(|| wrong(format!("column {}: must be True or False", index + 1)))?;
            if said {
                right_answers.push(Arc::clone(&text));
            }
        }
        answers.insert(model.name.clone(), text);
    }
    let gold = match columns.gold {
        Some(index) if field(index).trim().is_empty() => {
            return Err(wrong("has an empty `gold`".to_owned()));
        }
        Some(index) => Gold::Label(field(index).to_owned()),
        None => Gold::RightAnswers(right_answers),
    };
    Ok(Row {
        id: number.to_string(),
        task: None,
        prompt: prompt.into(),
        gold,
        answers,
        outcomes: std::collections::BTreeMap::new(),
    })
}

fn truth(cell: &str) -> Option<bool> {
    match cell.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "1.0" => Some(true),
        "false" | "0" | "0.0" => Some(false),
        _ => None,
    }
}

/// The CSV reader's own message may quote a cell, so only its place and kind are told.
fn unreadable(error: csv::Error, line: u64) -> TableError {
    let line = error.position().map_or(line, Position::line);
    let problem = match error.into_kind() {
        csv::ErrorKind::Io(source) => return TableError::Read { line, source },
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} columns where the header has {expected_len}")
        }
        _ => "is no CSV that can be read".to_owned(),
    };
    TableError::Line { line, problem }
}

#[cfg(test)]
mod tests {
    use super::super::table::read;
    use super::*;

    const HEADER: &str = "prompt,mixtral-8x7b-instruct-v0.1,gpt-4-1106-preview,\
                          mixtral-8x7b-instruct-v0.1_response,gpt-4-1106-preview_response\n";

    fn problem(text: &str) -> String {
        read(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn routellms_own_table_is_read_with_who_was_right() {
        let text = format!(
            "{HEADER}\"How many,\nall in all?\",True,False,\"It is\n#### 64\",\"$64\"\nMore?,False,False,a,b\n"
        );
        let table = read(text.as_bytes()).unwrap();
        assert_eq!(
            table.models().into_iter().collect::<Vec<_>>(),
            ["gpt-4-1106-preview", "mixtral-8x7b-instruct-v0.1"]
        );
        assert_eq!(&*table.rows[0].prompt, "How many,\nall in all?");
        assert_eq!(table.rows[0].gold, Gold::RightAnswers(vec!["It is\n#### 64".into()]));
        assert_eq!(table.rows[1].gold, Gold::RightAnswers(vec![]));
    }

    #[test]
    fn a_publisher_before_the_name_makes_no_difference() {
        let text = "prompt,mixtral-8x7b-instruct-v0.1,mistralai/Mixtral-8x7B-Instruct-v0.1_response\np,True,5\n";
        let table = read(text.as_bytes()).unwrap();
        assert!(table.models().contains("mistralai/Mixtral-8x7B-Instruct-v0.1"));
        assert_eq!(table.rows[0].gold, Gold::RightAnswers(vec!["5".into()]));
    }

    #[test]
    fn a_gold_column_is_used_where_there_is_one() {
        let table = read("prompt,gold,m_response\np,5,five\n".as_bytes()).unwrap();
        assert_eq!(table.rows[0].gold, Gold::Label("5".into()));
    }

    #[test]
    fn a_csv_of_outcomes_says_that_it_has_no_answers() {
        let said = problem("prompt,mixtral-8x7b-instruct-v0.1,gpt-4-1106-preview\np,True,False\n");
        assert!(said.contains("outcomes only"), "{said}");
    }

    #[test]
    fn an_error_names_its_line_and_quotes_nothing() {
        let said = problem(&format!("{HEADER}p,True,secret,a,b\n"));
        assert_eq!(said, "line 2: column 3: must be True or False");
        let said = problem(&format!("{HEADER}p,True,True,a,b\nsecret,True\n"));
        assert_eq!(said, "line 3: has 2 columns where the header has 5");
        assert!(problem("a,b\n1,2\n").contains("has no column `prompt`"));
        assert!(problem("prompt,m_response\np,a\n").contains("nothing to grade by"));
        assert_eq!(problem(HEADER), "the table is empty");
    }

    #[test]
    fn an_empty_cell_is_no_answer() {
        let table = read(format!("{HEADER}p,False,True,,5\n").as_bytes()).unwrap();
        assert_eq!(table.rows[0].answers.len(), 1);
    }
}
