// Renders the OpenAPI document: operations by tag, their parameters and bodies, and a form to try
// each of them. Everything is set as text, never as markup.
"use strict";

let schemas = {};

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

// --- schemas as text ----------------------------------------------------------------------------

const nameOf = (reference) => reference.split("/").pop();
const resolved = (schema) => (schema && schema.$ref ? schemas[nameOf(schema.$ref)] || {} : schema || {});
const shown = (name) => name.replace(/rag\.domain\.|_$/g, "").replace(/_(\w+)$/, " of $1");

function typeOf(schema) {
  if (!schema) return "anything";
  if (schema.$ref) return shown(nameOf(schema.$ref));
  const choices = schema.oneOf || schema.anyOf;
  if (choices) return choices.map(typeOf).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.type === "array") return schema.items ? `[${typeOf(schema.items)}]` : "[…]";
  if (schema.type === "object" && schema.additionalProperties) return `{name: ${typeOf(schema.additionalProperties)}}`;
  return [].concat(schema.type || "anything").join(" | ") + bounds(schema);
}

function bounds(schema) {
  const [low, high] = [schema.minimum, schema.maximum];
  if (Math.abs(high) > 1e15) return "";
  if (low !== undefined && high !== undefined) return ` ${low} to ${high}`;
  return "";
}

// A body to begin with: what is required, and what is plain.
function example(schema, depth = 0) {
  const here = resolved(schema);
  if (here.default !== undefined && here.default !== null) return here.default;
  if (here.enum) return here.enum[0];
  if (here.type === "object" && depth < 4) {
    const required = new Set(here.required || []);
    const entries = Object.entries(here.properties || {});
    return Object.fromEntries(entries.filter(([name]) => required.has(name)).map(([name, each]) => [name, example(each, depth + 1)]));
  }
  return { string: "", integer: 0, number: 0, boolean: false, array: [] }[here.type] ?? null;
}

function fields(schema) {
  const here = resolved(schema);
  if (!here.properties) return element("p", { className: "faint", textContent: typeOf(schema) });
  const required = new Set(here.required || []);
  const rows = Object.entries(here.properties).map(([name, each]) => {
    const notes = [each.description, each.default !== undefined && each.default !== null ? `default ${JSON.stringify(each.default)}` : ""];
    return row(name, typeOf(each), required.has(name), notes.filter(Boolean).join("; "));
  });
  return element("table", {}, element("tbody", {}, ...rows));
}

function row(name, type, required, notes) {
  return element("tr", {},
    element("td", {}, element("code", { textContent: name }), required ? element("span", { className: "faint", textContent: " required" }) : ""),
    element("td", { className: "faint", textContent: type }),
    element("td", { textContent: notes }));
}

// --- operations ---------------------------------------------------------------------------------

function operation(path, method, described) {
  const parameters = described.parameters || [];
  const bodies = Object.entries(described.requestBody?.content || {});
  const successes = Object.entries(described.responses).filter(([status]) => status !== "default");
  const inside = element("div");
  if (described.description) inside.append(element("p", { className: "description", textContent: described.description }));
  if (parameters.length) {
    const rows = parameters.map((each) => row(each.name, `${typeOf(each.schema)} in ${each.in}`, each.required, each.description || ""));
    inside.append(element("h3", { textContent: "Parameters" }), element("table", {}, element("tbody", {}, ...rows)));
  }
  for (const [mediaType, { schema }] of bodies) {
    inside.append(element("h3", { textContent: `Body: ${mediaType}` }), fields(schema));
  }
  for (const [status, response] of successes) {
    const [content] = Object.values(response.content || {});
    inside.append(element("h3", { textContent: `Response ${status}${content ? ": " + typeOf(content.schema) : ""}` }));
    if (content) inside.append(fields(content.schema));
  }
  inside.append(tryIt(path, method, parameters, Object.fromEntries(bodies)));
  return element("details", {},
    element("summary", {},
      element("span", { className: `method ${method}`, textContent: method.toUpperCase() }),
      element("span", { className: "path", textContent: path }),
      element("span", { className: "faint", textContent: described.summary || "" })),
    inside);
}

// --- trying -------------------------------------------------------------------------------------

function tryIt(path, method, parameters, bodies) {
  const form = element("form", { className: "try" });
  for (const each of parameters) {
    const initial = each.name === "collection" ? "default" : "";
    form.append(element("label", {}, each.name,
      element("input", { name: each.name, required: Boolean(each.required), value: initial, placeholder: each.schema.default ?? "" })));
  }
  const json = bodies["application/json"];
  if (json) {
    const text = JSON.stringify(example(json.schema), null, 2);
    form.append(element("label", {}, "Body (JSON)", element("textarea", { name: "body of the request", value: text, spellcheck: false })));
  }
  if (bodies["multipart/form-data"]) {
    form.append(element("label", {}, "or files", element("input", { type: "file", name: "files of the request", multiple: true })));
  }
  const outcome = element("div");
  form.append(element("div", {}, element("button", { type: "submit", textContent: "Send" })), outcome);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    outcome.replaceChildren("…");
    try {
      outcome.replaceChildren(...await result(await send(path, method, parameters, form)));
    } catch (error) {
      outcome.replaceChildren(element("p", { className: "warn", textContent: error.message }));
    }
  });
  return form;
}

function send(path, method, parameters, form) {
  const value = (name) => form.elements[name].value;
  const query = new URLSearchParams();
  let address = path;
  for (const each of parameters) {
    const encoded = value(each.name).split("/").map(encodeURIComponent).join("/");
    if (each.in === "path") address = address.replace(`{${each.name}}`, encoded);
    else if (value(each.name) !== "") query.set(each.name, value(each.name));
  }
  const request = { method: method.toUpperCase() };
  const files = form.elements["files of the request"]?.files || [];
  const text = form.elements["body of the request"]?.value;
  if (files.length > 0) {
    request.body = new FormData();
    for (const file of files) request.body.append("file", file, file.name);
  } else if (text) {
    request.body = text;
    request.headers = { "Content-Type": "application/json" };
  }
  return fetch(query.size ? `${address}?${query}` : address, request);
}

async function result(response) {
  const type = response.headers.get("Content-Type") || "";
  const status = element("p", { className: response.ok ? "good" : "warn", textContent: `${response.status} ${response.headers.get("Location") || ""}` });
  if (type.includes("json")) {
    return [status, element("pre", { textContent: JSON.stringify(await response.json(), null, 2) })];
  }
  const blob = await response.blob();
  return [status, element("p", { className: "faint", textContent: blob.size ? `${blob.size} bytes of ${type}` : "no content" })];
}

// --- the page -----------------------------------------------------------------------------------

async function render() {
  const response = await fetch("/schema/openapi.json");
  const described = await response.json();
  schemas = described.components.schemas;
  const byTag = new Map();
  for (const [path, methods] of Object.entries(described.paths)) {
    for (const [method, each] of Object.entries(methods)) {
      const [tag] = each.tags || ["Other"];
      byTag.set(tag, [...(byTag.get(tag) || []), operation(path, method, each)]);
    }
  }
  const main = document.getElementById("schema");
  main.replaceChildren(element("p", { className: "description", textContent: described.info.description }));
  for (const [tag, operations] of byTag) main.append(element("h2", { textContent: tag }), ...operations);
  main.append(element("h2", { textContent: "Shapes" }));
  for (const name of Object.keys(schemas).sort()) {
    const description = schemas[name].description;
    main.append(element("details", {},
      element("summary", {}, element("span", { className: "path", textContent: shown(name) })),
      element("div", {}, description ? element("p", { className: "description", textContent: description }) : "", fields(schemas[name]))));
  }
}

render().catch((error) => {
  document.getElementById("schema").replaceChildren(element("p", { className: "warn", textContent: error.message }));
});
