// Starts the OpenTelemetry SDK as an application would: instrumentations in code, everything else from the
// variables OTEL_*, which the test sets.
const { NodeSDK } = require("@opentelemetry/sdk-node");
const { SpanKind, SpanStatusCode, context, trace } = require("@opentelemetry/api");
const { logs } = require("@opentelemetry/api-logs");

function start(...instrumentations) {
  const sdk = new NodeSDK({ instrumentations });
  sdk.start();
  return sdk;
}

// request runs what a web server would run for one request: below a span of its own, which names the account.
async function request(route, account, run) {
  const span = trace.getTracer("web").startSpan(`POST ${route}`, {
    kind: SpanKind.SERVER,
    attributes: { "http.request.method": "POST", "http.route": route, "app.account": account },
  });
  try {
    return await context.with(trace.setSpan(context.active(), span), run);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    console.log(`${route} failed: ${error.message}`);
  } finally {
    span.end();
  }
}

// judge says of the request's output what an evaluator found, as a log record in the context of its span.
function judge(name, score, label) {
  logs.getLogger("judge").emit({
    eventName: "gen_ai.evaluation.result",
    attributes: { "gen_ai.evaluation.name": name, "gen_ai.evaluation.score.value": score, "gen_ai.evaluation.score.label": label },
    context: context.active(),
  });
}

module.exports = { start, request, judge };
