// Asks the model through OpenAI's client, watched by the instrumentation that is named as the argument.
const { context } = require("@opentelemetry/api");
const { start, request, judge } = require("./telemetry");

// Each instrumentation comes with what an application adds by hand: the account, and a span of the agent and
// of its tools. OpenLLMetry adds nothing here; it leaves the account to the span of the request.
const watchers = {
  openllmetry() {
    const { OpenAIInstrumentation } = require("@traceloop/instrumentation-openai");
    const asIs = (run) => run;
    return { instrumentation: new OpenAIInstrumentation(), agent: asIs, tool: asIs, of: (account, run) => run() };
  },
  openinference() {
    const { OpenAIInstrumentation } = require("@arizeai/openinference-instrumentation-openai");
    const { setMetadata, traceAgent, traceTool } = require("@arizeai/openinference-core");
    return {
      instrumentation: new OpenAIInstrumentation(),
      agent: (run, name) => traceAgent(run, { name }),
      tool: (run, name) => traceTool(run, { name, attributes: { "tool.name": name } }),
      of: (account, run) => context.with(setMetadata(context.active(), { account }), run),
    };
  },
};
const watcher = watchers[process.argv[2]]();
const sdk = start(watcher.instrumentation);

const { OpenAI } = require("openai"); // after the instrumentation, which waits for it
const client = new OpenAI({ maxRetries: 0 });

const model = "gpt-4o-mini";
const tools = [{
  type: "function",
  function: {
    name: "find_parcel",
    description: "Where a parcel is.",
    parameters: { type: "object", properties: { number: { type: "integer" } }, required: ["number"] },
  },
}];
const findParcel = watcher.tool(async ({ number }) => ({ number, place: "Bonn" }), "find_parcel");

const withTool = watcher.agent(async (question) => {
  await client.embeddings.create({ model: "text-embedding-3-small", input: question });
  const messages = [{ role: "system", content: "You help with parcels." }, { role: "user", content: question }];
  const ask = async () => (await client.chat.completions.create({ model, messages, tools, temperature: 0.2 })).choices[0].message;
  const first = await ask();
  messages.push(first);
  for (const call of first.tool_calls) {
    const found = await findParcel(JSON.parse(call.function.arguments));
    messages.push({ role: "tool", tool_call_id: call.id, content: JSON.stringify(found) });
  }
  const last = await ask();
  judge("helpful", 1, "yes");
  return last.content;
}, "with_tool");

const streaming = watcher.agent(async (question) => {
  const stream = await client.chat.completions.create({
    model, stream: true, stream_options: { include_usage: true }, messages: [{ role: "user", content: question }],
  });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
  return text;
}, "streaming");

const failing = watcher.agent(async (question) => {
  await client.chat.completions.create({ model, messages: [{ role: "user", content: question }] });
}, "failing");

async function main() {
  await request("/tool", "acme", () => watcher.of("acme", () => withTool("Where is parcel 17?")));
  await request("/stream", "globex", () => watcher.of("globex", () => streaming("Tell me a story.")));
  await request("/fail", "acme", () => watcher.of("acme", () => failing("Please fail.")));
  await sdk.shutdown();
}
main();
