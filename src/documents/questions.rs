//! The experts measured: questions that newcomers put about the bundled guide, and questions that
//! it does not answer. Expected answers are parts of sentences; `|` parts alternatives.

use std::collections::BTreeMap;

use super::*;

/// Questions that the weights were set by.
const ANSWERED: &[(&str, &str)] = &[
    ("what does the hybrid strategy do?", "Hybrid, the default strategy, drafts first"),
    ("What is the hybrid strategy", "Hybrid, the default strategy, drafts first"),
    ("how does hybrid work", "Hybrid, the default strategy, drafts first"),
    ("which strategy is the default?", "The default strategy is Hybrid|Hybrid, the default"),
    ("what strategies are there", "There are five strategies"),
    ("list the five strategies", "There are five strategies"),
    ("how many strategies exist?", "There are five strategies"),
    ("what is AIFirst?", "AIFirst asks ASI"),
    ("what does runtime_first do?", "RuntimeFirst lets Flux answer"),
    ("explain ParallelFusion", "ParallelFusion asks Flux and ASI both at once"),
    ("what is the adaptive strategy?", "Adaptive chooses the mind"),
    ("how often does adaptive explore?", "Adaptive tries the mind that its rule did not choose"),
    ("how do I change the strategy?", "To change the strategy of all requests|PUT /api/v1/unified/strategy changes|To choose a strategy for one request"),
    ("what is Flux?", "Flux is the runtime tier|Flux, which is quick"),
    ("what is ASI?", "ASI is the AI tier|and ASI, which is slow"),
    ("what is Meta Orchestrator?", "Meta Orchestrator is an HTTP service"),
    ("who is this service for?", "The service is made for teams"),
    ("what ASI modes are there?", "There are four ASI modes"),
    ("what does thorough mode do?", "The mode thorough asks at least three experts"),
    ("what does the fast mode do", "The mode fast asks the best single expert"),
    ("what is reasoning mode?", "The mode reasoning works like thorough"),
    ("what happens in balanced mode?", "The mode balanced asks one expert"),
    ("which consensus strategies exist?", "There are five consensus strategies"),
    ("what is the default consensus?", "The default consensus strategy is weighted_confidence"),
    ("how does majority vote work?", "majority_vote gives one vote"),
    ("what does best_response do?", "best_response takes the single draft"),
    ("what is ensemble consensus?", "ensemble treats experts as independent"),
    ("what are the sacred positions?", "The sacred positions are 3, 6 and 9|A checkpoint, also called a sacred position"),
    ("what happens at position 9?", "Position: 9|A flux_position of 9"),
    ("what does ELP stand for?", "ELP stands for ethos, logos and pathos"),
    ("what is pathos?", "Pathos measures feeling|ELP stands for"),
    ("what does flux_position mean?", "The field flux_position is the highest checkpoint"),
    ("what is sacred_boost?", "The field sacred_boost is true"),
    ("what is the confidence lake?", "The Confidence Lake keeps verified answers|is the durable memory of verified answers"),
    ("what enters the lake?", "An answer enters the lake only if"),
    ("how do I remove a wrong answer from the lake?", "To remove a wrong answer from the lake"),
    ("how can I delete a cached wrong answer?", "To remove a wrong answer from the lake|evicts a remembered answer"),
    ("how fast does the background loop tick?", "The background loop ticks 60 times"),
    ("what is coherence?", "Coherence is the share of intersections"),
    ("what is the ladder?", "The ladder is the rank by which recall"),
    ("how do I add a provider?", "To add OpenAI as a provider|To configure any other OpenAI-compatible provider"),
    ("how do I configure OpenAI?", "To add OpenAI as a provider"),
    ("how do I use ollama?", "To use a local model with Ollama"),
    ("can I use several providers?", "Several providers can be configured"),
    ("what is api_key_env?", "The key api_key_env holds the name"),
    ("how do I configure the service with environment variables?", "META_ORCHESTRATOR__SECTION__KEY"),
    ("in which order are configuration layers applied?", "Configuration comes in three layers"),
    ("what happens with unknown configuration keys?", "Unknown configuration keys are refused"),
    ("which port does it listen on?", "By default the service listens on port 8080"),
    ("how do I listen on another port?", "To listen on another address or port|start the service on another one"),
    ("how do I start the service?", "run cargo run --release|meta-orchestrator serve|serve is the default command"),
    ("where is the data stored?", "All data is kept in the data directory"),
    ("does it survive kill -9?", "survive a restart, a crash and kill -9"),
    ("how do I back up?", "To back up the service"),
    ("how do I send feedback?", "To report a wrong or right answer|POST /api/v1/unified/feedback tells"),
    ("what format do errors have?", "Errors are returned as problem details"),
    ("what is the main endpoint?", "The main endpoint is POST"),
    ("where are the Prometheus metrics?", "GET /metrics returns the metrics in the Prometheus|Prometheus can scrape"),
    ("what is the readiness probe?", "GET /readyz says whether"),
    ("how do I get the OpenAPI description?", "GET /openapi.json returns"),
    ("how do I run an evaluation?", "To measure strategies on recorded answers"),
    ("what is APGR?", "APGR is the area"),
    ("what does CPT50 mean", "CPT50 is the share of slow calls"),
    ("is streaming supported?", "Streaming of answers is not supported"),
    ("does it support PostgreSQL?", "PostgreSQL is not supported yet"),
    ("are my prompts logged?", "No prompt text and no answer text is written"),
    ("is there authentication?", "Authentication and API keys for callers do not exist"),
    ("what document formats are supported?", "The supported document formats are"),
    ("can it read PDF files?", "PDF, Word and HTML files are not read"),
    ("how do I add my own documents?", "To add your own documents"),
    ("what is keep_signal?", "The threshold keep_signal (0.75)|Hybrid keeps a Flux draft whose signal"),
    ("what is a draft?", "A draft is one candidate answer"),
    ("what does VCP stand for?", "VCP, the Vortex Context Preserver"),
    ("what is a tenant?", "A tenant is the owner of data"),
    ("what does recovered mean in the result?", "The field recovered is true"),
    ("why does the service abstain?", "If the service abstains on general questions|An abstention is|When nobody knows|without any provider"),
];

/// Questions written afterwards and never tuned by.
const HELD_OUT: &[(&str, &str)] = &[
    ("when should I use AIFirst?", "Choose AIFirst when quality matters"),
    ("what happens if ASI fails?", "AIFirst asks ASI, and returns Flux's best draft|If ASI fails and Flux has no draft|When a provider fails"),
    ("is an API key needed to try it locally?", "The service needs no API key"),
    ("what licence is it under?", "licensed under Apache-2.0"),
    ("how is success rate averaged?", "Latency and success rate are exponential moving averages"),
    ("what does the overhead_us field tell me?", "The field metadata.overhead_us is the time"),
    ("which position is the fusion checkpoint?", "Position: 6|at position 6"),
    ("how much more does checkpoint evidence weigh?", "weighs 1.5 times"),
    ("what are the complexity tiers?", "The complexity tiers are"),
    ("can thresholds be changed at runtime?", "Thresholds can be changed at run time"),
    ("are symlinks followed?", "symbolic links that lead out"),
    ("what happens with files that are not UTF-8?", "A file that cannot be read, or that is not UTF-8"),
    ("does the lake recall by meaning?", "Recall by meaning, for questions worded differently"),
    ("does the health check cost money?", "Health checks and probes never call a paid model"),
    ("how do I validate my config without starting?", "To check a configuration without starting"),
    ("what's the minimum signal for lake entries?", "The least signal for the lake|signal is at least 0.6"),
    ("which field is required in a request?", "The only field that a request must have is input"),
    ("what is an intersection in the flux loop?", "An intersection is a pair of lake entries"),
    ("how many retries for a provider call?", "Every call to a provider has a deadline and at most one retry"),
    ("how do I shut the service down?", "To stop the service"),
    ("what does logos measure?", "Logos measures reasoning"),
    ("does evaluation call providers?", "An evaluation calls no provider"),
    ("can I restrict evaluation to some rows?", "--limit N"),
    ("my answers are slow, what can I do?", "If answers are slow"),
    ("how can I lower costs?", "If ASI costs too much|Choose RuntimeFirst when cost"),
    ("is the docker image root?", "The Docker image runs as a non-root user"),
    ("what database is used?", "embedded redb database"),
    ("what is custom_weights?", "custom_weights weighs the votes"),
    ("how do I ask about my own text?", "To ask about a text of your own"),
    ("what does the ledger contain?", "The ledger is the append-only record"),
];

/// Questions that the guide does not answer, many of them in its own words.
const UNANSWERED: &[&str] = &[
    "what is the capital of France?",
    "who won the world cup in 2022",
    "write a poem",
    "write a poem about the sea",
    "how tall is Mount Everest?",
    "what's the weather like today?",
    "tell me a joke",
    "who wrote Hamlet?",
    "how do I cook rice?",
    "what is the meaning of life?",
    "translate good morning into Japanese",
    "how do I configure kubernetes?",
    "what is the best strategy for investing in stocks?",
    "who is the president of the United States?",
    "what is the speed of light?",
    "how many people live in China?",
    "what is the fastest animal in the world?",
    "why is the sky blue?",
    "what is photosynthesis?",
    "when did the second world war end?",
    "how do I install Windows?",
    "what is the default port of MySQL?",
    "how do I reset my bank password?",
    "who founded the company?",
    "what is the chemical formula of water?",
    "summarise the plot of Star Wars",
    "how much does a Tesla cost?",
    "which football team is the best?",
    "fix the bug in my Python code",
    "what time is it in Tokyo?",
    "how do I get to the train station?",
    "is coffee healthy?",
    "does it support GraphQL subscriptions?",
    "how do I enable Kafka?",
    "what is the lake with the deepest water on earth?",
    "what is the Adaptive immune response?",
    "hybrid cars and their batteries",
    "who invented the vortex engine?",
    "hello",
    "thanks!",
    "what is it?",
    "???",
    "how many moons does Jupiter have?",
    "what did the CEO say on the phone yesterday?",
    "recommend a restaurant nearby",
    "what is love",
    "a train leaves at 3 pm at 60 miles per hour; when does it arrive?",
    "is a tomato a fruit?",
];

/// The answer that the two experts give together: signals added up over equal answers.
fn joined(retrieval: &Retrieval) -> Option<(String, f64)> {
    let mut votes: BTreeMap<&str, f64> = BTreeMap::new();
    for draft in &retrieval.drafts {
        *votes.entry(&draft.content).or_default() += draft.signal.get();
    }
    votes.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(text, sum)| (text.to_owned(), sum))
}

fn fits(answer: &str, expected: &str) -> bool {
    expected.split('|').any(|part| answer.contains(part))
}

/// Share of the questions that the joined experts answer rightly; prints the others.
fn share_right(documents: &Documents, questions: &[(&str, &str)]) -> f64 {
    let mut right = 0_usize;
    for (question, expected) in questions {
        let retrieval = documents.answer(question, &[]);
        let answer = joined(&retrieval);
        if answer.as_ref().is_some_and(|(a, _)| fits(a, expected)) {
            right += 1;
        } else {
            println!("{question}\n  wanted {expected}");
            for d in &retrieval.drafts {
                println!("  {:<17} {:.2} {}", d.source.name, d.signal.get(), d.content);
            }
        }
    }
    println!("right: {right} of {}", questions.len());
    right as f64 / questions.len() as f64
}

#[test]
fn the_lists_are_long_enough_to_mean_something() {
    assert!(ANSWERED.len() >= 60 && UNANSWERED.len() >= 40 && HELD_OUT.len() >= 30);
}

#[test]
fn the_guides_answers_come_first() {
    let documents = Documents::bundled().unwrap();
    assert!(share_right(&documents, ANSWERED) >= 0.9);
}

#[test]
fn questions_that_nothing_was_tuned_by_are_answered_too() {
    let documents = Documents::bundled().unwrap();
    assert!(share_right(&documents, HELD_OUT) >= 0.8);
}

#[test]
fn questions_beyond_the_guide_find_silence() {
    let documents = Documents::bundled().unwrap();
    let mut silent = 0_usize;
    for question in UNANSWERED {
        let retrieval = documents.answer(question, &[]);
        match joined(&retrieval) {
            None => silent += 1,
            Some((answer, sum)) => println!("{question}\n  {sum:.2} {answer}"),
        }
    }
    println!("silent: {silent} of {}", UNANSWERED.len());
    assert!(silent as f64 >= 0.95 * UNANSWERED.len() as f64);
}

/// The signal is honest: over all questions its mean is near the share of right drafts, for each
/// expert, and right drafts have more of it than wrong ones.
#[test]
fn the_signal_means_what_it_says() {
    let documents = Documents::bundled().unwrap();
    let mut rows: Vec<(f64, bool)> = Vec::new();
    let answered = ANSWERED.iter().chain(HELD_OUT).copied();
    for (question, expected) in answered.chain(UNANSWERED.iter().map(|q| (*q, "\u{0}"))) {
        for draft in documents.answer(question, &[]).drafts {
            rows.push((draft.signal.get(), fits(&draft.content, expected)));
        }
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut error = 0.0;
    for bin in rows.chunks(rows.len().div_ceil(8)) {
        let n = bin.len() as f64;
        let mean = bin.iter().map(|r| r.0).sum::<f64>() / n;
        let right = bin.iter().filter(|r| r.1).count() as f64 / n;
        println!("signal {mean:.3} right {right:.3} n {n}");
        error += n * (mean - right).abs();
    }
    let error = error / rows.len() as f64;
    println!("calibration error {error:.3} over {} drafts", rows.len());
    assert!(error < 0.15, "{error}");
}
