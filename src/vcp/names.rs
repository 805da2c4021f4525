//! The names of the checks: a fixed set, safe as labels.

/// Position 3: a quotation stands in the evidence; an answer draws on its context.
pub const GROUNDING: &str = "grounding";
/// Position 3: the evidence covers what the question speaks of.
pub const COVERAGE: &str = "coverage";
/// Position 3: the draft speaks of what was asked.
pub const RELEVANCE: &str = "relevance";
/// Position 9: it is an answer at all.
pub const ANSWERED: &str = "answered";
/// Position 9: the answer has the form asked for.
pub const ANSWER_FORM: &str = "answer_form";
/// Position 9: the calculations shown hold when recomputed.
pub const ARITHMETIC: &str = "arithmetic";
/// Position 9: it speaks in the manner of the question.
pub const ELP_DRIFT: &str = "elp_drift";
/// Position 9: it neither hedges nor corrects itself.
pub const UNHESITATING: &str = "unhesitating";
/// Position 9: it rounds only where the question does.
pub const UNROUNDED: &str = "unrounded";
/// Position 9: it shows a calculation where several numbers are given.
pub const WORKING: &str = "working";
/// Position 9: it takes about as many steps as there are numbers.
pub const STEPS: &str = "steps";
/// Position 9: it uses the numbers that are given.
pub const GIVEN_NUMBERS: &str = "given_numbers";
/// Position 9: a count of things is a whole number, and not negative.
pub const WHOLE_COUNT: &str = "whole_count";
/// Position 9: whole numbers come out at a whole number, and not below zero.
pub const COMES_OUT: &str = "comes_out";
