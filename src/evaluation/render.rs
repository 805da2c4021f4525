//! The report as text.

use std::fmt;

use super::report::{Baseline, Report, Routing, SacredWeight, StrategyResult};

/// One printed line of the table: its cells.
type Line = [String; 7];

const HEADINGS: [&str; 7] =
    ["", "accuracy", "95 % interval", "slow calls", "p50 ms", "p99 ms", "ECE"];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} rows{}", self.data, self.rows, self.left_out())?;
        writeln!(f, "fast {} · slow {}", self.models.fast, self.models.slow.join(", "))?;
        writeln!(f, "latency simulated: {}\n", self.latency.spec)?;
        write_table(f, &self.lines())?;
        self.write_mixes(f)?;
        self.write_routing(f)?;
        self.write_rest(f)?;
        self.notes.iter().try_for_each(|note| writeln!(f, "note: {note}"))
    }
}

impl Report {
    fn left_out(&self) -> String {
        let counts = [
            (self.skipped.without_answer, "skipped without an answer"),
            (self.skipped.repeated_prompt, "skipped with a repeated prompt"),
            (self.rows_without_gold, "without gold, graded wrong"),
        ];
        let said: Vec<String> =
            counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        if said.is_empty() { String::new() } else { format!(" ({})", said.join("; ")) }
    }

    fn lines(&self) -> Vec<Line> {
        let strategies = self.strategies.iter().map(strategy_line);
        let mix = self.random_mix.iter().map(|mix| {
            let name = format!("random mix at {}'s slow share", mix.strategy);
            let dash = || "–".to_owned();
            [name, figure(mix.accuracy), dash(), percent(mix.slow_share), dash(), dash(), dash()]
        });
        let (oracle, alone): (Vec<&Baseline>, Vec<&Baseline>) =
            self.baselines.iter().partition(|baseline| baseline.model.is_none());
        let alone = alone.into_iter().map(baseline_line);
        strategies.chain(alone).chain(mix).chain(oracle.into_iter().map(baseline_line)).collect()
    }

    /// Each strategy beside the coin that costs as much.
    fn write_mixes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.strategies.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nagainst a random mix at the same slow share:")?;
        for s in &self.strategies {
            let gain = (s.accuracy - s.random_mix_accuracy) * 100.0;
            let mix = figure(s.random_mix_accuracy);
            write!(f, "  {:16} {gain:+6.1} points (mix {mix})", s.strategy.name())?;
            let troubles = [(s.abstained, "abstained"), (s.failed, "failed")];
            for (n, what) in troubles.into_iter().filter(|(n, _)| *n > 0) {
                write!(f, ", {n} {what}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn write_routing(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.routing.n > 0 || self.routing_prompt_only.n == 0 {
            write_curve(f, "routing by the escalation score", &self.routing)?;
        }
        write_curve(f, "routing by the question alone", &self.routing_prompt_only)
    }

    fn write_rest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(version) = &self.judged_by {
            writeln!(f, "\njudged by the model {version}")?;
        }
        if !self.quality.is_empty() {
            writeln!(f, "\nkeep_signal for a quality target (95 % confidence, by this table):")?;
        }
        for quality in &self.quality {
            let most = quality.target.alpha * 100.0;
            match (&quality.cut, &quality.refused) {
                (Some(cut), _) => writeln!(
                    f,
                    "  lose at most {most:4.1} points: {:.3}, with {} slow calls",
                    cut.keep_signal,
                    percent(cut.slow_share)
                )?,
                (None, Some(why)) => writeln!(f, "  lose at most {most:4.1} points: {why}")?,
                (None, None) => {}
            }
        }
        let Some(fusion) = &self.fusion else { return writeln!(f) };
        let signal = &self.signal;
        let (ece, auroc) = (optional(signal.ece), optional(signal.auroc));
        writeln!(f, "\nsignal of the fast drafts ({}): ECE {ece}, AUROC {auroc}", signal.n)?;
        writeln!(
            f,
            "fusion: boost 1.0 {}, boost 1.5 {} (right only with 1.0: {}, only with 1.5: {})",
            figure(fusion.accuracy_boost_1_0),
            figure(fusion.accuracy_boost_1_5),
            fusion.only_boost_1_0_right,
            fusion.only_boost_1_5_right
        )?;
        let SacredWeight { fitted, ci95: [low, high], contests } = fusion.sacred_weight;
        writeln!(
            f,
            "fusion.sacred_weight, fitted: {fitted:.2} ({low:.2}–{high:.2}, by {contests} contested rows; \
             prior 1.50)\n"
        )
    }
}

fn write_curve(f: &mut fmt::Formatter<'_>, by: &str, r: &Routing) -> fmt::Result {
    writeln!(f, "\n{by} ({} rows):", r.n)?;
    let range = r.apgr_ci95.map(interval).map_or(String::new(), |ci| format!(" ({ci})"));
    writeln!(f, "  APGR  {}{range}; a coin has 0.500", optional(r.apgr))?;
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), percent);
    writeln!(f, "  CPT50 {}; CPT80 {} of slow calls", share(r.cpt50), share(r.cpt80))?;
    writeln!(
        f,
        "  accuracy: fast {}, slow {}, oracle {}",
        optional(r.fast_accuracy),
        optional(r.slow_accuracy),
        optional(r.oracle_accuracy)
    )?;
    r.undefined.iter().try_for_each(|why| writeln!(f, "  undefined: {why}"))
}

fn strategy_line(s: &StrategyResult) -> Line {
    [
        s.strategy.name().to_owned(),
        figure(s.accuracy),
        interval(s.accuracy_ci95),
        percent(s.slow_share),
        format!("{:.0}", s.p50_ms),
        format!("{:.0}", s.p99_ms),
        optional(s.ece),
    ]
}

fn baseline_line(b: &Baseline) -> Line {
    let name = b.model.as_ref().map_or(b.name.to_owned(), |model| format!("{} ({model})", b.name));
    let whole = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.0}"));
    [
        name,
        figure(b.accuracy),
        interval(b.accuracy_ci95),
        percent(b.slow_share),
        whole(b.p50_ms),
        whole(b.p99_ms),
        "–".to_owned(),
    ]
}

/// Names flush left, figures flush right, two spaces between.
fn write_table(f: &mut fmt::Formatter<'_>, lines: &[Line]) -> fmt::Result {
    let heading = HEADINGS.map(str::to_owned);
    let mut widths = [0_usize; 7];
    for line in std::iter::once(&heading).chain(lines) {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for line in std::iter::once(&heading).chain(lines) {
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            if column == 0 { write!(f, "{cell:width$}")? } else { write!(f, "  {cell:>width$}")? }
        }
        writeln!(f)?;
    }
    Ok(())
}

fn figure(value: f64) -> String {
    format!("{value:.3}")
}

fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), figure)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn interval([low, high]: [f64; 2]) -> String {
    format!("{low:.3}–{high:.3}")
}
