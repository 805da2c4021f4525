//! Right or wrong, by canonical answers. The same eyes grade a lone model and the orchestrator.

use super::table::{Gold, Row};
use crate::{
    answers::{self, Form},
    domain::Canonical,
};

/// Grades answers to one question.
#[derive(Debug, Clone, PartialEq)]
pub struct Grader {
    form: Option<Form>,
    accepted: Vec<Canonical>,
    /// A label that is plain text, which a sentence may give in passing.
    label: Option<String>,
}

impl Grader {
    /// Takes what is right from the row.
    #[must_use]
    pub fn new(row: &Row) -> Self {
        match &row.gold {
            Gold::Label(label) => Self::by_label(&row.prompt, label),
            Gold::RightAnswers(texts) => {
                let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
                Self::by_right_answers(&row.prompt, &texts)
            }
        }
    }

    /// Whether the text gives the right answer.
    #[must_use]
    pub fn is_right(&self, text: &str) -> bool {
        let Some(answer) = answers::extract(text, self.form) else { return false };
        // A whole sentence for an answer may well give it; another short answer does not.
        let in_passing = |label: &String| {
            matches!(&answer, Canonical::Text(said) if said.contains(' '))
                && answers::mentions(text, label)
        };
        self.accepted.contains(&answer) || self.label.as_ref().is_some_and(in_passing)
    }

    /// Whether anything at all can be right.
    #[must_use]
    pub fn has_gold(&self) -> bool {
        !self.accepted.is_empty()
    }

    /// A number, a letter, a date or a yes as the label says more of the answer's form than the
    /// wording of the question does. A label that is any other text leaves it to the question.
    fn by_label(question: &str, label: &str) -> Self {
        let own = answers::canonical(label, None);
        let form = match own.as_ref() {
            None | Some(Canonical::Text(_)) => answers::expected_form(question)
                .filter(|form| {
                    answers::canonical(label, Some(*form)).is_some_and(|gold| fits(*form, &gold))
                })
                .or(Some(Form::Text)),
            Some(other) => form_of(other),
        };
        let gold = answers::canonical(label, form).or(own);
        let plain = matches!(gold, Some(Canonical::Text(_)));
        let label = plain.then(|| label.to_owned());
        Self { form, accepted: gold.into_iter().collect(), label }
    }

    /// `RouteLLM` records answers for GSM8K only, where what is right is a number.
    fn by_right_answers(question: &str, texts: &[&str]) -> Self {
        let read = |form| {
            let found: Vec<Canonical> =
                texts.iter().filter_map(|text| answers::extract(text, form)).collect();
            found
        };
        let numbers = read(Some(Form::Number));
        if numbers.iter().any(|answer| fits(Form::Number, answer)) {
            let accepted =
                numbers.into_iter().filter(|answer| fits(Form::Number, answer)).collect();
            return Self { form: Some(Form::Number), accepted, label: None };
        }
        let form = answers::expected_form(question);
        Self { form, accepted: read(form), label: None }
    }
}

fn form_of(answer: &Canonical) -> Option<Form> {
    Some(match answer {
        Canonical::Number(_) => Form::Number,
        Canonical::Choice(_) => Form::Choice,
        Canonical::YesNo(_) => Form::YesNo,
        Canonical::Date(_) => Form::Date,
        Canonical::List(_) => Form::List,
        Canonical::Text(_) => Form::Text,
    })
}

fn fits(form: Form, answer: &Canonical) -> bool {
    form_of(answer) == Some(form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::table;

    fn grader(prompt: &str, gold: &str) -> Grader {
        let line = serde_json::json!({"prompt": prompt, "gold": gold, "answers": {}});
        Grader::new(&table::read(line.to_string().as_bytes()).unwrap().rows[0])
    }

    #[test]
    fn numbers_are_right_as_numbers() {
        let grader = grader("How much does she make?", "1800");
        for right in ["#### 1,800", "So she makes $1800.00 a day.", "1800"] {
            assert!(grader.is_right(right), "{right}");
        }
        for wrong in ["#### 18", "She makes 1800 - 5 = 1795 dollars.", ""] {
            assert!(!grader.is_right(wrong), "{wrong}");
        }
    }

    #[test]
    fn letters_and_truths_are_right_as_such() {
        assert!(grader("Which?\nOptions:\n(A) 1\n(B) 2", "(B)").is_right("So the answer is (B)."));
        assert!(!grader("Which?\nOptions:\n(A) 1\n(B) 2", "(B)").is_right("(A)"));
        assert!(grader("not True or True is", "True").is_right("So the answer is True."));
    }

    #[test]
    fn a_sentence_that_gives_the_label_is_right() {
        let grader = grader("What is the capital of France?", "Paris");
        for right in ["Paris", "The capital of France is Paris."] {
            assert!(grader.is_right(right), "{right}");
        }
        for wrong in ["Lyon", "The capital is not Paris.", "Paris is large. It is Lyon."] {
            assert!(!grader.is_right(wrong), "{wrong}");
        }
    }

    #[test]
    fn who_was_recorded_right_is_the_gold_of_the_others() {
        let table = "prompt,m,n,o,m_response,n_response,o_response\n\
                     How much?,True,False,False,#### 64,He pays $64.,It is 65.\n\
                     How many?,False,False,False,1,2,3\n";
        let rows = table::read(table.as_bytes()).unwrap().rows;
        let graded = |row: &Row| {
            let grader = Grader::new(row);
            ["m", "n", "o"].map(|model| grader.is_right(&row.answers[model]))
        };
        assert_eq!(graded(&rows[0]), [true, true, false], "a badly extracted answer is made good");
        assert_eq!(graded(&rows[1]), [false; 3]);
        assert!(Grader::new(&rows[0]).has_gold() && !Grader::new(&rows[1]).has_gold());
    }
}
