//! The experts measured: questions that newcomers put about the bundled guide, and questions that
//! it does not answer. Expected answers are parts of sentences; `|` parts alternatives.

use std::collections::BTreeMap;

use super::*;

/// Questions that the weights, and in places the guide's wording, were set by. Some stay wrong:
/// they are kept because leaving them out would flatter.
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
    ("what is the adaptive strategy?", "Adaptive chooses among"),
    ("how often does adaptive explore?", "Adaptive tries every way"),
    (
        "how do I change the strategy?",
        "To change the strategy of all requests|The endpoint PUT|To choose a strategy for one request",
    ),
    ("what is Flux?", "Flux is the runtime tier|Flux, which is quick"),
    ("what is ASI?", "ASI is the AI tier|and ASI, which is slow|ASI, the AI tier"),
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
    (
        "what are the sacred positions?",
        "The sacred positions are 3, 6 and 9|A checkpoint, also called a sacred position",
    ),
    ("what happens at position 9?", "Position: 9|A flux_position of 9"),
    ("what does ELP stand for?", "ELP stands for ethos, logos and pathos"),
    ("what is pathos?", "Pathos measures feeling|ELP stands for"),
    ("what does flux_position mean?", "The field flux_position is the highest checkpoint"),
    ("what is sacred_boost?", "The field sacred_boost is true"),
    (
        "what is the confidence lake?",
        "The Confidence Lake is the service's memory|is the durable memory of verified answers",
    ),
    ("what enters the lake?", "An answer enters the lake only if"),
    ("how do I remove a wrong answer from the lake?", "To remove a wrong cached answer"),
    (
        "how can I delete a cached wrong answer?",
        "To remove a wrong cached answer|evicts a remembered answer",
    ),
    ("how fast does the background loop tick?", "The background loop ticks 60 times"),
    ("what is coherence?", "Coherence is the share of intersections"),
    ("what is the ladder?", "The ladder is the rank by which recall"),
    (
        "how do I add a provider?",
        "To configure OpenAI as a provider|To add any other OpenAI-compatible provider",
    ),
    ("how do I configure OpenAI?", "To configure OpenAI as a provider"),
    ("how do I use ollama?", "To use a local model with Ollama"),
    ("can I use several providers?", "Several providers can be configured"),
    ("what is api_key_env?", "The key api_key_env holds the name"),
    (
        "how do I configure the service with environment variables?",
        "META_ORCHESTRATOR__SECTION__KEY",
    ),
    ("in which order are configuration layers applied?", "Configuration is layered"),
    ("what happens with unknown configuration keys?", "Unknown configuration keys are refused"),
    ("which port does it listen on?", "By default the service listens on port 8080"),
    (
        "how do I listen on another port?",
        "To listen on another address or port|start the service on another one",
    ),
    (
        "how do I start the service?",
        "run cargo run --release|meta-orchestrator serve|serve is the default command",
    ),
    ("where is the data stored?", "All data is kept in the data directory"),
    ("does it survive kill -9?", "survive a restart, a crash and kill -9"),
    ("how do I back up?", "To back up the service"),
    (
        "how do I send feedback?",
        "To report a wrong or right answer|The endpoint POST /api/v1/unified/feedback",
    ),
    ("what format do errors have?", "Errors are returned in the format"),
    ("what is the main endpoint?", "The main endpoint is POST"),
    (
        "where are the Prometheus metrics?",
        "GET /metrics returns the metrics in the Prometheus|Prometheus can scrape",
    ),
    ("what is the readiness probe?", "GET /readyz is the readiness"),
    ("how do I get the OpenAPI description?", "GET /openapi.json returns"),
    ("how do I run an evaluation?", "To measure strategies on recorded answers"),
    ("what is APGR?", "APGR is the area"),
    ("what does CPT50 mean", "CPT50 is the share of slow calls"),
    ("is streaming supported?", "Streaming is supported: with"),
    ("does it support PostgreSQL?", "PostgreSQL is not supported yet"),
    ("are my prompts logged?", "No prompt text and no answer text is written"),
    ("is there authentication?", "Authentication and API keys for callers do not exist"),
    ("what document formats are supported?", "The supported document formats are"),
    ("can it read PDF files?", "PDF and Word files are not read"),
    ("how do I add my own documents?", "To add your own documents"),
    (
        "what is keep_signal?",
        "The threshold keep_signal (0.75)|Hybrid keeps a Flux draft whose signal",
    ),
    ("what is a draft?", "A draft is one candidate answer"),
    ("what does VCP stand for?", "VCP, the Vortex Context Preserver"),
    ("what is a tenant?", "A tenant is the owner of data"),
    ("what does recovered mean in the result?", "The field recovered is true"),
    (
        "why does the service abstain?",
        "If the service abstains on general questions|An abstention is|When nobody knows|without any provider",
    ),
    ("when should I use AIFirst?", "Choose AIFirst when quality matters"),
    (
        "what happens if ASI fails?",
        "AIFirst asks ASI, and returns Flux's best draft|If ASI fails and Flux has no draft|When a provider fails",
    ),
    ("is an API key needed to try it locally?", "The service needs no API key"),
    ("what licence is it under?", "licence is Apache-2.0"),
    ("how is success rate averaged?", "Latency and success rate are exponential moving averages"),
    ("what does the overhead_us field tell me?", "The field metadata.overhead_us is the time"),
    ("which position is the fusion checkpoint?", "Position: 6|at position 6"),
    ("how much more does checkpoint evidence weigh?", "weighs 1.5 times"),
    ("what are the complexity tiers?", "The complexity tiers are"),
    ("can thresholds be changed at runtime?", "Thresholds can be changed at runtime"),
    ("are symlinks followed?", "symbolic links (symlinks)"),
    (
        "what happens with files that are not UTF-8?",
        "A file that cannot be read, or that is not UTF-8",
    ),
    ("does the lake recall by meaning?", "Recall by meaning, for questions worded differently"),
    ("does the health check cost money?", "Health checks and probes never call a paid model"),
    ("how do I validate my config without starting?", "To check a configuration without starting"),
    (
        "what's the minimum signal for lake entries?",
        "The minimum signal for the lake|signal is at least 0.6",
    ),
    ("which field is required in a request?", "The only field that a request must have is input"),
    ("what is an intersection in the flux loop?", "An intersection is a pair of lake entries"),
    (
        "how many retries for a provider call?",
        "Every call to a provider has a deadline and at most one retry",
    ),
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
    ("which mind is cheaper?", "Flux is the runtime tier|cheapest mind"),
    (
        "how is complexity measured?",
        "The complexity of a request has a score|Complexity is a score",
    ),
    ("what counts as a simple request?", "A request counts as simple below a score"),
    ("what is a canonical answer?", "A canonical answer is the comparable core"),
    (
        "what does it mean when abstained is true?",
        "The field abstained is true|the service says so and sets abstained",
    ),
    ("tell me about ethos", "Ethos measures credibility"),
    (
        "what's the difference between fast and balanced mode?",
        "The mode fast asks|The mode balanced asks",
    ),
    ("what if fewer than three experts are configured?", "If fewer experts are configured"),
    (
        "who can see the answers of my tenant?",
        "no answer ever crosses|only as answers to the same tenant|A tenant is the owner",
    ),
    (
        "what happens to remembered answers when documents change?",
        "Answers that came from documents are forgotten",
    ),
    ("which retrieval experts are there?", "There are two document experts"),
    ("does the document expert invent sentences?", "A document expert quotes a sentence"),
    ("which file types does it read?", "The supported document formats|PDF and Word files"),
    (
        "where do I put the API key of a provider?",
        "The key api_key_env holds|Provider keys are read",
    ),
    ("can a request choose the base url?", "The key base_url is the address"),
    ("what is the configuration file format?", "The format of the configuration file"),
    ("how are environment variables named?", "To configure the service with environment variables"),
    ("what does the threshold second_opinion do?", "The threshold second_opinion"),
    ("how do I see the current strategy?", "GET /api/v1/unified/strategy returns"),
    ("which endpoint gives statistics?", "GET /api/v1/unified/metrics returns"),
    ("what does duration_ms contain?", "The field duration_ms is the time"),
    ("where do I find the citations?", "citations with the document|The object metadata tells"),
    ("how do I report a wrong answer?", "To report a wrong or right answer"),
    ("what is a 4xx error returned for?", "A 4xx error is returned"),
    ("how is accuracy computed?", "Accuracy is computed from outcomes"),
    ("is there a Grafana dashboard?", "a Grafana dashboard"),
    ("how do I run it with docker compose?", "docker compose up starts"),
    ("how do I reset everything?", "To reset the service"),
    ("can two processes share a data directory?", "Two processes cannot share"),
    ("what is ECE?", "ECE, the expected calibration error"),
    ("is the evaluation latency real?", "Latency in an evaluation is simulated"),
    ("do my prompts leave the machine?", "Prompts leave the machine only"),
    ("is there a web console?", "There is no web console"),
    ("port already in use", "If the port is already in use"),
    ("what does compression do in the lake?", "Compression of the lake merges duplicate entries"),
    ("what is a request's budget?", "A request may carry a budget"),
    ("what does position 4 do?", "Position: 4"),
    ("can it convert units?", "The unit solver converts|Exact questions are arithmetic"),
    ("what can it answer without a provider?", "Without any provider the service answers"),
    ("what language is the service written in?", "The programming language"),
    ("what is the reasoning mode good for?", "The mode reasoning works like thorough"),
    ("What does parallel fusion cost?", "ParallelFusion costs an ASI call"),
    ("explain the vortex", "The vortex is the way of one request"),
    ("what is the doubling cycle?", "The doubling cycle 1, 2, 4, 8, 7, 5"),
    ("what are the orchestrators_used?", "The field orchestrators_used says"),
    ("what does vortex_cycles count?", "The field vortex_cycles counts"),
    ("how does compression of the lake work?", "Compression of the lake merges duplicate entries"),
    ("is the lake stored on disk?", "The lake is stored on disk"),
    ("are abstentions cached?", "Abstentions, errors and cut-off answers are never cached"),
    ("what is documents-bm25?", "There are two document experts"),
    (
        "what happens when the documents do not cover my question?",
        "When the words of the question are not covered",
    ),
    (
        "does the service need a database server?",
        "no database server is needed|The service needs no API key",
    ),
    ("which environment variable activates OpenAI?", "OPENAI_API_KEY"),
    ("which models does a provider offer?", "The key models lists the models"),
    ("are other provider dialects supported?", "Besides the OpenAI-compatible dialect"),
    ("what does --check-config do?", "To check a configuration without starting"),
    (
        "where is the reference of all configuration keys?",
        "The folder config holds the default configuration",
    ),
    ("what is moderate_complexity?", "The threshold moderate_complexity"),
    ("is the readiness false during shutdown?", "turns false while the service is shutting down"),
    ("what can I put into the context field?", "The field context of a request carries"),
    ("what does session_id do?", "The field session_id of a request"),
    (
        "what does metadata.trace show?",
        "The field metadata.trace lists|which show where the time went",
    ),
    (
        "what is the meaning of confidence?",
        "The confidence of a response is|The field confidence is the probability",
    ),
    ("do unrated answers count as wrong?", "An answer without feedback counts neither"),
    ("what do 5xx errors reveal?", "The body of a 5xx error is constant"),
    ("how are unmeasured metrics shown?", "A metric that nobody measured is absent"),
    ("what does Grafana show?", "a Grafana dashboard"),
    ("does the strategy survive a restart?", "survives a restart|survive a restart"),
    (
        "what input does the evaluate command take?",
        "Data files for an evaluation are|run meta-orchestrator evaluate",
    ),
    ("what does --json print?", "With --json the evaluation prints"),
    (
        "how are provider keys protected?",
        "Provider keys are read from the environment|so that the secret itself never stands",
    ),
    ("are there client SDKs?", "There is no web console"),
    ("the fast tier is often wrong, what should I change?", "If the fast tier is wrong too often"),
    (
        "can I ask the service about itself?",
        "You can ask the service about itself|answers questions about itself",
    ),
    (
        "what date questions can it answer?",
        "The date solver counts days|Exact questions are arithmetic",
    ),
    ("does a solver guess?", "A solver is either right or silent"),
    ("what is the vortex context preserver", "VCP, the Vortex Context Preserver"),
    ("What is a policy?", "A policy is the immutable snapshot"),
    ("what is an outcome", "An outcome says whether"),
    ("who owns the data of a request?", "A tenant is the owner of data"),
    ("should I use RuntimeFirst to save money?", "Choose RuntimeFirst when cost"),
    ("how do I turn off the fallback of runtime first?", "With runtime_first.fallback = false"),
    ("can I use CamelCase names for strategies?", "Both spellings of a strategy"),
    ("how does adaptive decide?", "Adaptive chooses among"),
    ("which experts does thorough ask?", "The mode thorough asks at least three"),
    (
        "when is a second opinion asked?",
        "The threshold second_opinion|The mode balanced asks one expert",
    ),
    ("when do two answers agree?", "Two answers agree when"),
    ("what happens at stage 7?", "Position: 7"),
    ("where is an answer verified?", "Position: 9|verification checkpoint|positions 3, 6 and 9"),
    ("what is sacred_weight", "this weight is the setting fusion.sacred_weight"),
    ("what does fusion do?", "Fusion joins the drafts"),
    ("is ELP a number?", "ELP stands for ethos, logos and pathos, three scores"),
    (
        "what does the arithmetic solver understand?",
        "The arithmetic solver takes words and symbols",
    ),
    ("what happens on each tick?", "Each tick propagates"),
    ("how do I change the tick rate of Flux?", "the setting flux.rate_hz changes its rate"),
    (
        "are answers shared between tenants?",
        "no answer ever crosses|only as answers to the same tenant",
    ),
    ("is upper and lower case important for recall?", "upper and lower case"),
    ("which folders are searched?", "Folders are searched with their subfolders"),
    ("do citations contain line numbers?", "carries citations with the document"),
    ("how do I set up Ollama?", "To use a local model with Ollama"),
    ("what is the base_url of a provider?", "The key base_url is the address"),
    ("what happens when a provider times out?", "When a provider fails or times out"),
    ("show me the endpoint for health", "GET /api/v1/unified/health"),
    ("what is the liveness probe", "GET /livez"),
    ("where does the id field come from?", "The field id names the response"),
    ("why did it choose this route?", "The field metadata.decision gives"),
    ("how many tokens were used?", "The field metadata.usage counts"),
    ("what does feedback change?", "Feedback counts towards"),
    ("how is latency averaged?", "Latency and success rate are exponential"),
    (
        "what is the confidence interval of accuracy?",
        "Accuracy is computed from outcomes and shown with its 95",
    ),
    ("where is the data directory?", "All data is kept in the data directory"),
    ("is my data lost after a crash?", "survive a restart, a crash and kill -9"),
    (
        "what does --fast mean in evaluate?",
        "run meta-orchestrator evaluate|the fast model stands as Flux's drafter",
    ),
    ("are secrets written to logs?", "they are never logged or returned|No prompt text"),
    ("does the service support multiple replicas?", "the embedded store serves one replica"),
    ("the service is too expensive", "If ASI costs too much"),
];

/// Questions written after the weights were set.
const HELD_OUT: &[(&str, &str)] = &[
    ("what is a checkpoint?", "A checkpoint, also called a sacred position"),
    ("what does signal mean?", "The signal of a draft is the probability"),
    ("What is complexity?", "Complexity is a score|The complexity of a request has"),
    ("what is an expert", "An expert is one source of answers"),
    ("how can I set the strategy for a single request?", "To choose a strategy for one request"),
    ("what is returned if both ASI and Flux fail?", "If ASI fails and Flux has no draft"),
    ("which strategy is good for quality?", "Choose AIFirst when quality"),
    (
        "what is the abstain floor of RuntimeFirst?",
        "Under RuntimeFirst, Flux abstains|The threshold abstain_floor",
    ),
    (
        "what is complex_complexity?",
        "The threshold complex_complexity|Hybrid sends a request straight",
    ),
    (
        "at which position are the answers fused in ParallelFusion?",
        "fuses their answers at position 6|Position: 6",
    ),
    ("which mode is used for moderate requests?", "Unless the request names a mode"),
    ("what does weighted_confidence do?", "weighted_confidence weighs each expert's vote"),
    ("are 5 and 5.00 the same answer?", "so 5 and 5.00 are one answer"),
    ("what happens at position 2?", "Position: 2"),
    ("what is a fused answer?", "A fused answer names both minds"),
    ("what is ethos?", "Ethos measures credibility"),
    ("how is unknown complexity treated?", "unknown is never simple"),
    ("does Flux make network calls?", "makes no network call"),
    ("what does the date solver do?", "The date solver counts days"),
    ("what is the text solver?", "The text solver does simple operations"),
    ("when does the background loop start?", "The Flux background loop starts with the service"),
    ("which answers never enter the lake?", "Abstentions, errors and cut-off answers"),
    ("how do I know if an answer came from the lake?", "The field confidence_lake_hit"),
    ("what is documents-ngrams?", "There are two document experts"),
    ("are subfolders searched as well?", "Folders are searched with their subfolders"),
    ("what is a provider?", "A provider is a service that hosts"),
    (
        "can I configure an OpenAI-compatible provider?",
        "To add any other OpenAI-compatible provider",
    ),
    ("which layer of configuration wins?", "Configuration is layered, in this order"),
    (
        "what does META_ORCHESTRATOR__FLUX__RATE_HZ do?",
        "For example, META_ORCHESTRATOR__FLUX__RATE_HZ=30",
    ),
    ("which endpoint changes the strategy?", "The endpoint PUT"),
    ("what is the field content?", "The field content is the text"),
    ("what is in the metadata object?", "The object metadata tells"),
    (
        "how do I rate an answer?",
        "To report a wrong or right answer|The endpoint POST /api/v1/unified/feedback",
    ),
    ("what are percentiles given in the metrics?", "The JSON metrics give"),
    ("how do I choose another data directory?", "To keep the data elsewhere|--data-dir DIR"),
    ("what does an evaluation show?", "The evaluation table shows"),
    ("what is CPT80?", "CPT80 is the same for 80"),
    ("where do the provider keys come from?", "Provider keys are read from"),
    ("are requests bounded in size?", "Everything is bounded"),
    ("the service abstains on general questions", "If the service abstains on general questions"),
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
    "how do I stream answers over websockets?",
    "what is the price of GPT-4?",
    "how do I configure TLS certificates?",
    "how do I rotate API keys?",
    "how many requests per second can it handle?",
    "what is the maximum size of a request body?",
    "who maintains the project?",
    "which Rust version is needed?",
    "how do I uninstall it?",
    "does it run on Windows?",
    "what is the rate limit?",
    "how do I write a plugin for a custom solver?",
    "how long is the ledger retained?",
    "how do I configure Redis?",
    "does it support Anthropic Claude?",
    "how do I export the ledger to CSV?",
    "what is the default deadline of a request?",
    "can I use it with LangChain?",
    "is there a Helm chart?",
    "what is the weather in the capital of the default tenant?",
    "who won the fusion award?",
    "what is the best provider for medical advice?",
    "how do I file my tax return?",
    "which strategy did Napoleon use at Waterloo?",
    "is my bank account private?",
    "how do I restart my iPhone?",
    "what are the symptoms of a cold?",
    "how many positions are there in yoga?",
    "what is the signal strength of my wifi?",
    "how do I cache images in nginx?",
    "what is consensus in blockchain?",
    "explain the electoral vote in the US",
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
        let retrieval = tests::ask(documents, question, &[]);
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
    assert!(share_right(&documents, ANSWERED) >= 0.85);
}

#[test]
fn questions_that_nothing_was_tuned_by_are_answered_too() {
    let documents = Documents::bundled().unwrap();
    assert!(share_right(&documents, HELD_OUT) >= 0.7);
}

#[test]
fn questions_beyond_the_guide_find_silence() {
    let documents = Documents::bundled().unwrap();
    let mut silent = 0_usize;
    for question in UNANSWERED {
        let retrieval = tests::ask(&documents, question, &[]);
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
        for draft in tests::ask(&documents, question, &[]).drafts {
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
    assert!(error < 0.1, "{error}");
}
