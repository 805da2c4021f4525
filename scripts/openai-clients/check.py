"""The official Python client against a running service. OPENAI_BASE_URL says where it is."""

import asyncio
import time

import openai
import pydantic

client = openai.OpenAI(max_retries=0)
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def expect(error, status, code, ask):
    try:
        ask()
    except error as told:
        assert told.status_code == status, told
        assert told.code == code, told
        return told
    raise AssertionError(f"{error.__name__} was expected")


def models():
    names = [model.id for model in client.models.list()]
    assert names[:3] == ["auto", "meta", "meta/ai-first"], names
    assert "gpt-test" in names, names
    assert client.models.retrieve("meta/hybrid").id == "meta/hybrid"
    assert client.models.retrieve("gpt-test").owned_by == "good"


def solver():
    ask = [{"role": "user", "content": "what is 15 percent of 80?"}]
    answer = client.chat.completions.create(model="meta/hybrid", messages=ask)
    assert answer.choices[0].message.content == "12", answer
    assert answer.model == "meta/hybrid" and answer.usage.total_tokens == 0, answer
    assert answer.meta["route"] == "flux" and answer.meta["confidence"] > 0.9, answer


def model():
    raw = client.chat.completions.with_raw_response.create(
        model="meta/ai-first", messages=QUESTION, extra_body={"meta": {"no_store": True}}
    )
    answer = raw.parse()
    assert answer.choices[0].message.content == "It is certainly Paris, as ever.", answer
    assert answer.choices[0].finish_reason == "stop", answer
    assert answer.model == "gpt-test-2026" == raw.headers["x-meta-model"], answer
    assert answer.usage.total_tokens == 16, answer
    assert raw.headers["x-meta-response-id"] == answer.id


def conversation():
    turns = [
        {"role": "system", "content": "Count the questions."},
        {"role": "user", "content": "What is the capital of France?"},
        {"role": "assistant", "content": "Paris"},
        {"role": "user", "content": "And of Spain?"},
    ]
    answer = client.chat.completions.create(model="meta/hybrid", messages=turns)
    assert answer.choices[0].message.content == "This is question 2.", answer


def streaming():
    stream = client.chat.completions.create(
        model="gpt-test",
        messages=QUESTION,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks, times = [], []
    for chunk in stream:
        chunks.append(chunk)
        times.append(time.monotonic())
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "It is certainly Paris, as ever.", text
    assert chunks[0].choices[0].delta.role == "assistant", chunks[0]
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 6, chunks[-1]
    assert chunks[-2].choices[0].finish_reason == "stop", chunks[-2]
    assert chunks[-2].meta["experts"][0]["model"] == "gpt-test-2026", chunks[-2]
    assert times[-1] - times[0] > 0.1, "all came at once"


def streaming_helper():
    with client.chat.completions.stream(model="meta/ai-first", messages=QUESTION) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == "It is certainly Paris, as ever.", final


async def asynchronous():
    async with openai.AsyncOpenAI(max_retries=0) as other:
        stream = await other.chat.completions.create(
            model="gpt-test", messages=QUESTION, stream=True
        )
        text = [c.choices[0].delta.content or "" async for c in stream if c.choices]
    assert "".join(text) == "It is certainly Paris, as ever.", text


def tools(stream):
    messages = [{"role": "user", "content": "What is the weather in Rome?"}]
    if stream:
        with client.chat.completions.stream(
            model="meta/hybrid", messages=messages, tools=[WEATHER]
        ) as events:
            answer = events.get_final_completion()
    else:
        answer = client.chat.completions.create(
            model="meta/hybrid", messages=messages, tools=[WEATHER], tool_choice="auto"
        )
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls", answer
    call = choice.message.tool_calls[0]
    assert (call.function.name, call.function.arguments) == ("weather", '{"city": "Rome"}'), call
    said = choice.message.model_dump(exclude={"parsed"}, exclude_none=True)
    messages += [said, {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"}]
    answer = client.chat.completions.create(
        model="meta/hybrid", messages=messages, tools=[WEATHER]
    )
    assert answer.choices[0].message.content == "The tool says: 18 degrees.", answer


class Capital(pydantic.BaseModel):
    capital: str


def formats():
    answer = client.chat.completions.parse(
        model="meta/hybrid", messages=QUESTION, response_format=Capital
    )
    assert answer.choices[0].message.parsed == Capital(capital="Paris"), answer


def failures():
    chat = client.chat.completions.create
    told = expect(openai.BadRequestError, 400, "invalid_request", lambda: chat(
        model="auto", messages=QUESTION, n=2))
    assert told.param == "n" and told.type == "invalid_request_error", told.body
    expect(openai.BadRequestError, 400, "unsupported_parameter", lambda: chat(
        model="limited", messages=QUESTION, tools=[WEATHER]))
    expect(openai.NotFoundError, 404, "model_not_found", lambda: chat(
        model="gpt-99", messages=QUESTION))
    expect(openai.NotFoundError, 404, "not_found", lambda: client.embeddings.create(
        model="auto", input="x", encoding_format="float"))
    told = expect(openai.InternalServerError, 503, "experts_rate_limited", lambda: chat(
        model="limited", messages=QUESTION))
    assert told.response.headers["retry-after"] == "30", told.response.headers
    expect(openai.InternalServerError, 503, "experts_busy", lambda: chat(
        model="limited", messages=QUESTION, stream=True))
    expect(openai.InternalServerError, 504, "deadline_exceeded", lambda: chat(
        model="slow", messages=QUESTION, extra_body={"meta": {"deadline_ms": 300}}))
    try:
        client.with_options(timeout=0.5).chat.completions.create(model="slow", messages=QUESTION)
        raise AssertionError("a timeout was expected")
    except openai.APITimeoutError:
        pass


def cut_stream():
    text = ""
    try:
        for chunk in client.chat.completions.create(
            model="breaks", messages=QUESTION, stream=True
        ):
            assert chunk.choices[0].finish_reason is None, chunk
            text += chunk.choices[0].delta.content or ""
        raise AssertionError("a cut stream looked whole")
    except openai.APIError as told:
        assert told.code == "experts_failed", told
    assert text == "It is", text


steps = [
    ("models", models),
    ("solver", solver),
    ("model", model),
    ("conversation", conversation),
    ("streaming", streaming),
    ("streaming helper", streaming_helper),
    ("asynchronous", lambda: asyncio.run(asynchronous())),
    ("tools", lambda: tools(stream=False)),
    ("streamed tools", lambda: tools(stream=True)),
    ("response_format", formats),
    ("cut stream", cut_stream),
    ("failures", failures),
]
for name, step in steps:
    step()
print(f"python, openai {openai.__version__}: {', '.join(name for name, _ in steps)}: all as it should be")
