//! What was kept and what was left behind, in numbers.

use std::fmt::{self, Display, Formatter};

use super::weighed::Reason;

/// Counts for the trace; never a word of the texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    turns: usize,
    recent: usize,
    relevant: usize,
    commitments: usize,
    turns_shortened: usize,
    /// Of the conversation, with what shortening left out.
    pub(super) tokens_dropped: usize,
    passages: usize,
    repeated: usize,
    pub(super) passages_kept: usize,
    pub(super) passages_shortened: usize,
}

impl Tally {
    /// Of a choice that is still to be noted.
    pub(super) fn of(turns: usize, passages: usize, repeated: usize) -> Self {
        Self { turns, passages, repeated, ..Self::default() }
    }

    /// All turns and these passages are kept.
    pub(super) fn of_everything(turns: usize, passages_kept: usize, repeated: usize) -> Self {
        let passages = passages_kept + repeated;
        Self { turns, recent: turns, passages_kept, passages, repeated, ..Self::default() }
    }

    /// So many turns are kept for this reason, some of them shortened.
    pub(super) fn note(&mut self, reason: Reason, turns: usize, shortened: usize) {
        let count = match reason {
            Reason::Recent => &mut self.recent,
            Reason::Relevant => &mut self.relevant,
            Reason::Commitment => &mut self.commitments,
        };
        *count += turns;
        self.turns_shortened += shortened;
    }

    fn turns_kept(&self) -> usize {
        self.recent + self.relevant + self.commitments
    }
}

/// `14 of 40 turns kept (6 recent, 4 relevant, 4 commitments; 2 shortened); 26 turns, about 5,200
/// tokens dropped; 2 of 5 passages dropped`; nothing where nothing was.
impl Display for Tally {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let dropped = self.turns - self.turns_kept();
        let mut parts = Vec::new();
        if self.tokens_dropped > 0 || dropped > 0 {
            let reasons = list(&[
                (self.recent, "recent"),
                (self.relevant, "relevant"),
                (self.commitments, "commitments"),
            ]);
            let shortened = list(&[(self.turns_shortened, "shortened")]);
            let why = [reasons, shortened];
            let why: Vec<&str> =
                why.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
            let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join("; ")) };
            parts.push(format!("{} of {} turns kept{why}", self.turns_kept(), self.turns));
            let tokens = grouped(self.tokens_dropped);
            parts.push(format!("{dropped} turns, about {tokens} tokens dropped"));
        }
        let dropped = self.passages - self.passages_kept;
        if dropped > 0 {
            let repeated = list(&[(self.repeated, "repeated")]);
            let why = if repeated.is_empty() { repeated } else { format!(" ({repeated})") };
            parts.push(format!("{dropped} of {} passages dropped{why}", self.passages));
        }
        if self.passages_shortened > 0 {
            parts.push(format!(
                "{} of {} passages shortened",
                self.passages_shortened, self.passages
            ));
        }
        f.write_str(&parts.join("; "))
    }
}

fn list(counts: &[(usize, &str)]) -> String {
    let named = counts.iter().filter(|(count, _)| *count > 0);
    named.map(|(count, name)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}

/// `5200` as `5,200`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_reads_like_this() {
        let mut tally = Tally { tokens_dropped: 5200, passages_kept: 3, ..Tally::of(40, 5, 1) };
        tally.note(Reason::Recent, 6, 0);
        tally.note(Reason::Relevant, 4, 2);
        tally.note(Reason::Commitment, 4, 0);
        assert_eq!(
            tally.to_string(),
            "14 of 40 turns kept (6 recent, 4 relevant, 4 commitments; 2 shortened); 26 turns, \
             about 5,200 tokens dropped; 2 of 5 passages dropped (1 repeated)"
        );
        assert_eq!(Tally::of_everything(3, 2, 0).to_string(), "");
        assert_eq!(
            Tally::of_everything(0, 1, 1).to_string(),
            "1 of 2 passages dropped (1 repeated)"
        );
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
