// The official JavaScript client against a running service. OPENAI_BASE_URL says where it is.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { VERSION } from "openai/version";

const client = new OpenAI({ maxRetries: 0 });
const question = [{ role: "user", content: "What is the capital of France?" }];
const weather = {
  type: "function",
  function: {
    name: "weather",
    description: "The weather of a city",
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
};
const PARIS = "It is certainly Paris, as ever.";

async function expect(kind, status, code, ask) {
  const told = await ask().then(
    () => assert.fail(`${kind.name} was expected`),
    (error) => error,
  );
  assert.ok(told instanceof kind, `${told}`);
  assert.deepEqual([told.status, told.code], [status, code], `${told}`);
  return told;
}

const steps = {
  async models() {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    assert.deepEqual(names.slice(0, 3), ["auto", "meta", "meta/ai-first"]);
    assert.ok(names.includes("gpt-test"), names.join());
    assert.equal((await client.models.retrieve("meta/hybrid")).id, "meta/hybrid");
  },

  async solver() {
    const messages = [{ role: "user", content: "what is 15 percent of 80?" }];
    const answer = await client.chat.completions.create({ model: "meta/hybrid", messages });
    assert.equal(answer.choices[0].message.content, "12");
    assert.equal(answer.meta.route, "flux");
  },

  async model() {
    const { data, response } = await client.chat.completions
      .create({ model: "meta/ai-first", messages: question, meta: { no_store: true } })
      .withResponse();
    assert.equal(data.choices[0].message.content, PARIS);
    assert.equal(data.model, "gpt-test-2026");
    assert.equal(response.headers.get("x-meta-model"), "gpt-test-2026");
    assert.equal(data.usage.total_tokens, 16);
  },

  async conversation() {
    const messages = [
      { role: "developer", content: "Count the questions." },
      ...question,
      { role: "assistant", content: "Paris" },
      { role: "user", content: [{ type: "text", text: "And of Spain?" }] },
    ];
    const answer = await client.chat.completions.create({ model: "meta/hybrid", messages });
    assert.equal(answer.choices[0].message.content, "This is question 2.");
  },

  async streaming() {
    const stream = await client.chat.completions.create({
      model: "gpt-test",
      messages: question,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
    assert.equal(text, PARIS);
    assert.deepEqual(chunks.at(-1).choices, []);
    assert.equal(chunks.at(-1).usage.completion_tokens, 6);
    assert.equal(chunks.at(-2).choices[0].finish_reason, "stop");
    assert.equal(chunks.at(-2).meta.experts[0].model, "gpt-test-2026");
  },

  async "streaming helper"() {
    const stream = client.chat.completions.stream({ model: "meta/ai-first", messages: question });
    assert.equal(await stream.finalContent(), PARIS);
  },

  async tools() {
    const weatherOf = {
      ...weather,
      function: { ...weather.function, parse: JSON.parse, function: ({ city }) => `18 degrees in ${city}` },
    };
    for (const stream of [false, true]) {
      const runner = client.chat.completions.runTools({
        model: "meta/hybrid",
        messages: [{ role: "user", content: "What is the weather in Rome?" }],
        tools: [weatherOf],
        stream,
      });
      assert.equal(await runner.finalContent(), "The tool says: 18 degrees in Rome.");
    }
  },

  async response_format() {
    const answer = await client.chat.completions.create({
      model: "meta/hybrid",
      messages: question,
      response_format: { type: "json_object" },
    });
    assert.deepEqual(JSON.parse(answer.choices[0].message.content), { capital: "Paris" });
  },

  async "cut stream"() {
    const stream = await client.chat.completions.create({
      model: "breaks",
      messages: question,
      stream: true,
    });
    let text = "";
    await assert.rejects(async () => {
      for await (const chunk of stream) text += chunk.choices[0].delta.content ?? "";
    }, OpenAI.APIError);
    assert.equal(text, "It is");
  },

  async failures() {
    const chat = (body) => () => client.chat.completions.create({ messages: question, ...body });
    const told = await expect(OpenAI.BadRequestError, 400, "invalid_request", chat({ model: "auto", n: 2 }));
    assert.equal(told.param, "n");
    await expect(OpenAI.NotFoundError, 404, "model_not_found", chat({ model: "gpt-99" }));
    const limited = chat({ model: "limited" });
    const busy = await limited().then(() => assert.fail("503 was expected"), (error) => error);
    assert.ok(busy instanceof OpenAI.InternalServerError && busy.status === 503, `${busy}`);
    const hasty = chat({ model: "slow", meta: { deadline_ms: 300 } });
    await expect(OpenAI.InternalServerError, 504, "deadline_exceeded", hasty);
    await assert.rejects(
      client.chat.completions.create({ model: "slow", messages: question }, { timeout: 500 }),
      OpenAI.APIConnectionTimeoutError,
    );
  },
};

for (const step of Object.values(steps)) await step();
console.log(`javascript, openai ${VERSION}: ${Object.keys(steps).join(", ")}: all as it should be`);
