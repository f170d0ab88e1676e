// What the pages ask the portal, and how numbers come through JavaScript unchanged.

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// Whole numbers beyond 2^53 are kept as the text that came: rounded ones would not be what the portal holds.
function exact(key, value, context) {
  const large = typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
  return large && context && /^-?\d+$/.test(context.source) ? context.source : value;
}

async function got(address) {
  let answer;
  try {
    answer = await fetch(address);
  } catch {
    throw new Refused(0, "The portal does not answer. Is it still running?");
  }
  const text = await answer.text();
  let body;
  try {
    body = JSON.parse(text, exact);
  } catch {
    throw new Refused(answer.status, `The portal answered ${answer.status} and no JSON.`);
  }
  if (!answer.ok) throw new Refused(answer.status, body?.message ?? body?.error ?? `The portal answered ${answer.status}.`);
  return body;
}

export const ask = (path, params = []) => got(`/explore/data${path}?${new URLSearchParams(params)}`);
export const control = (what) => got(`/_control/${what}`);

export function saying(error) {
  if (error.status === 401) return `This portal shows nothing without an API key: ${error.message}`;
  return error.message;
}
