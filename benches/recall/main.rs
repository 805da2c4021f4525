//! How quick and how complete the search for near questions is. `cargo bench --bench recall` prints
//! a line each for 100,000 and 1,000,000 questions (`-- 100000` for one size): time to insert, time
//! to search (median, 99th percentile), and how often the nearest is the one that comparing with
//! all finds; and how long a lake of as many entries takes to recall the very same question. The questions are made up, with words as frequent as in a natural text (Zipf), and
//! what is asked rewords one of them.
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::time::{Duration, Instant};

use meta_orchestrator::{
    domain::{ResponseId, Signal, SourceKind, TenantId},
    lake::{Entry, Ladder, Lake, LakeOptions, Meanings},
    paraphrase::Matcher,
    store::Store,
};

const WORDS: u64 = 60_000;
const ASKED: usize = 1000;

/// SplitMix64 (Steele et al. 2014).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A word by Zipf's law: the rank is about exponentially distributed in its logarithm.
    fn word(&mut self) -> String {
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let rank = (WORDS as f64).powf(share) as u64;
        let mut spelled = String::new();
        let mut rest = rank.wrapping_mul(2_654_435_761) % 100_000_007;
        while rest > 0 {
            spelled.push(char::from(b"bcdfghklmnprstvz"[(rest % 16) as usize]));
            spelled.push(char::from(b"aeiou"[(rest / 16 % 5) as usize]));
            rest /= 80;
        }
        spelled
    }

    fn question(&mut self) -> Vec<String> {
        const STARTS: [&str; 6] =
            ["how do i", "what is the", "why does the", "can i", "who", "where is"];
        let start = STARTS[(self.next() % 6) as usize];
        let length = 4 + self.next() % 6;
        std::iter::once(start.to_owned()).chain((0..length).map(|_| self.word())).collect()
    }
}

fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![100_000, 1_000_000] } else { sizes };
    let matcher = Matcher::shipped();
    for size in sizes {
        let mut dice = Dice(1);
        let mut meanings = Meanings::default();
        let mut asked = Vec::new();
        let mut inserting = Duration::ZERO;
        for number in 0..size {
            let mut question = dice.question();
            let text = question.join(" ");
            let since = Instant::now();
            meanings.insert(number as u32, &matcher.place(&text));
            inserting += since.elapsed();
            if number % (size / ASKED).max(1) == 0 && asked.len() < ASKED {
                // Another beginning, and one word less.
                question[0] = "tell me".to_owned();
                question.remove(1 + (dice.next() as usize) % (question.len() - 1));
                asked.push(question.join(" "));
            }
        }
        let (mut times, mut found) = (Vec::new(), 0);
        for text in &asked {
            let since = Instant::now();
            let question = matcher.place(text);
            let nearest = meanings.nearest(&question, 1);
            times.push(since.elapsed());
            let exactly = meanings.nearest_exactly(question.vector(), 1);
            found += usize::from(nearest.first().map(|n| n.0) == exactly.first().map(|n| n.0));
        }
        times.sort();
        let at = |share: usize| times[(times.len() - 1) * share / 100];
        println!(
            "{size} questions: {:.0} inserted/s; place and search p50 {:?}, p99 {:?}; \
             nearest found {:.2} %",
            size as f64 / inserting.as_secs_f64(),
            at(50),
            at(99),
            100.0 * found as f64 / asked.len() as f64,
        );
        drop(meanings);
        recall_exactly(size);
    }
}

/// Recalls remembered questions, spread over all, from a lake in memory.
fn recall_exactly(size: usize) {
    const NOW: i64 = 2_000;
    let tenant = TenantId::default();
    let question = |number: usize| format!("Which river flows through town {number}?");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let lake = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        runtime.block_on(async {
            let options = LakeOptions {
                max_entries: size + 1,
                max_bytes: usize::MAX,
                ..LakeOptions::default()
            };
            let store = Store::in_memory().map_err(|error| error.to_string())?;
            let lake = Lake::open(store, options).await.map_err(|error| error.to_string())?;
            for number in 0..size {
                let entry = Entry {
                    question: question(number),
                    content: format!("River {number}"),
                    answer: None,
                    signal: Signal::clamped(0.9),
                    origin: ResponseId::generate(),
                    derived_from: None,
                    source: SourceKind::Model,
                    source_name: "model".to_owned(),
                    citations: Vec::new(),
                    created_ms: 1_000,
                    expires_ms: None,
                    epoch: None,
                    curated: false,
                    point: None,
                    ladder: Ladder::default(),
                };
                lake.remember(&tenant, entry).await.map_err(|error| error.to_string())?;
            }
            Ok(lake)
        })
    });
    let lake = match lake {
        Ok(lake) => lake,
        Err(error) => return println!("{size} entries: {error}"),
    };
    let mut times: Vec<Duration> = (0..100 * ASKED)
        .map(|at| {
            let text = question(at.wrapping_mul(7_919) % size);
            let since = Instant::now();
            let found = lake.recall(&tenant, &text, NOW, None);
            let took = since.elapsed();
            assert!(found.is_some_and(|found| found.likeness.is_none()), "{text}");
            took
        })
        .collect();
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!("{size} entries: exact recall p50 {:?}, p99 {:?}", at(50), at(99));
}
