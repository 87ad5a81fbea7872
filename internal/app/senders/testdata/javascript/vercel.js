// Asks the model through the AI SDK, which watches itself.
const { start, request, judge } = require("./telemetry");

const sdk = start();

const { embed, generateText, stepCountIs, streamText, tool } = require("ai");
const { createOpenAICompatible } = require("@ai-sdk/openai-compatible");
const { z } = require("zod");

const provider = createOpenAICompatible({
  name: "stub", baseURL: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY, includeUsage: true,
});
const model = provider("gpt-4o-mini");

// telemetry names the account, which the AI SDK puts on every span.
const telemetry = (account) => ({ isEnabled: true, functionId: "parcels", metadata: { account } });

async function withTool() {
  await embed({ model: provider.textEmbeddingModel("text-embedding-3-small"), value: "Where is parcel 17?", experimental_telemetry: telemetry("acme") });
  await generateText({
    model, system: "You help with parcels.", prompt: "Where is parcel 17?", temperature: 0.2, stopWhen: stepCountIs(3),
    tools: {
      find_parcel: tool({
        description: "Where a parcel is.", inputSchema: z.object({ number: z.int() }), execute: async ({ number }) => ({ number, place: "Bonn" }),
      }),
    },
    experimental_telemetry: telemetry("acme"),
  });
  judge("helpful", 1, "yes");
}

async function streaming() {
  const result = streamText({ model, prompt: "Tell me a story.", experimental_telemetry: telemetry("globex") });
  for await (const part of result.textStream) void part;
}

async function failing() {
  await generateText({ model, prompt: "Please fail.", maxRetries: 0, experimental_telemetry: telemetry("acme") });
}

async function main() {
  await request("/tool", "acme", withTool);
  await request("/stream", "globex", streaming);
  await request("/fail", "acme", failing);
  await sdk.shutdown();
}
main();
