// Search and ask over the REST API. Everything that comes from documents is set as text, never as
// markup. Offsets of the API count code points, hence Array.from before slicing.
"use strict";

const $ = (id) => document.getElementById(id);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

async function call(path, body) {
  const request = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(path, request);
  const decoded = await response.json();
  if (!response.ok) throw new Error(decoded.detail || `HTTP ${response.status}`);
  return decoded;
}

async function showLibrary() {
  const { data: collections } = await call("/v1/collections?limit=100");
  for (const each of collections) {
    const label = `${each.name} (${each.documents})`;
    $("collection").append(element("option", { value: each.name, textContent: label }));
  }
  if (collections.some((each) => each.name === "default")) $("collection").value = "default";
  const documents = collections.reduce((sum, each) => sum + each.documents, 0);
  const passages = collections.reduce((sum, each) => sum + each.chunks, 0);
  $("library").textContent = documents === 0
    ? "No documents yet: bring some with rag ingest PATH."
    : `${documents} documents in ${passages} passages. Every quotation was found in its source.`;
}

// --- where something stands ---------------------------------------------------------------------

function place(pages, lines, headings) {
  const parts = [...(headings || [])];
  if (pages.length === 1) parts.push(`page ${pages[0]}`);
  else if (pages.length > 1) parts.push(`pages ${pages[0]}–${pages[pages.length - 1]}`);
  else if (lines) parts.push(lines[0] === lines[1] ? `line ${lines[0]}` : `lines ${lines[0]}–${lines[1]}`);
  return parts.join(" › ");
}

function links(documentId, pages) {
  const path = `/v1/documents/${encodeURIComponent(documentId)}`;
  const made = [];
  if (pages.length > 0) {
    made.push(element("a", { href: `${path}/pages/${pages[0]}/image`, target: "_blank", textContent: "page" }), " · ");
  }
  made.push(element("a", { href: `${path}/content`, textContent: "original" }));
  return element("span", { className: "faint" }, " — ", ...made);
}

// --- an answer ----------------------------------------------------------------------------------

function showAnswer(answer) {
  const numbers = new Map(answer.citations.map((citation, i) => [citation.id, i + 1]));
  const text = element("p", { className: answer.outcome === "answered" ? "answer" : "answer refusal" });
  const characters = Array.from(answer.text);
  let end = 0;
  for (const claim of [...answer.claims].sort((a, b) => a.start - b.start)) {
    text.append(characters.slice(end, claim.start).join(""), characters.slice(claim.start, claim.end).join(""));
    for (const id of claim.citations) text.append(reference(numbers.get(id)));
    if (!claim.supported) text.append(element("span", { className: "faint warn", textContent: " (not supported) " }));
    end = claim.end;
  }
  text.append(characters.slice(end).join(""));
  const by = answer.answerer === "extractive" ? "in the words of the sources" : `by ${answer.answerer}`;
  $("result").replaceChildren(
    answer.degraded ? element("p", { className: "warn", textContent: answer.degraded }) : "",
    text,
    element("p", { className: "faint", textContent: `Answered ${by}.` }),
    ...answer.citations.map((citation) => quotation(citation, numbers.get(citation.id))),
    ...(answer.nearest.length && answer.outcome !== "answered" ? [element("h3", { textContent: "Nearest passages" })] : []),
    ...(answer.outcome === "answered" ? [] : answer.nearest.map(passage)),
  );
}

function reference(number) {
  return element("sup", {}, element("a", { href: `#quotation-${number}`, textContent: `[${number}]` }));
}

function quotation(citation, number) {
  const pages = citation.pages.map((page) => page.number);
  const verified = { exact: "found word for word", relocated: "found elsewhere in the source", near: "found but for letters misread" };
  return element("article", { className: "card", id: `quotation-${number}` },
    element("p", {},
      `[${number}] `, element("strong", { textContent: citation.title || citation.key }),
      element("span", { className: "faint", textContent: " " + place(pages, citation.lines, citation.source.heading_path) }),
      links(citation.document_id, pages)),
    element("blockquote", {}, element("mark", { textContent: citation.quote })),
    element("p", { className: "faint good", textContent: verified[citation.verified] || citation.verified }));
}

// --- hits ---------------------------------------------------------------------------------------

function showHits(result) {
  $("result").replaceChildren(
    element("p", { className: "faint", textContent: result.data.length ? `${result.data.length} passages in ${Math.round(result.milliseconds)} ms` : "Nothing found." }),
    result.degraded ? element("p", { className: "warn", textContent: result.degraded }) : "",
    ...result.data.map(passage));
}

function passage(hit) {
  return element("article", { className: "card" },
    element("p", {},
      element("strong", { textContent: hit.title || hit.key }),
      element("span", { className: "faint", textContent: " " + place(hit.pages, hit.lines, hit.heading_path) }),
      links(hit.document_id, hit.pages)),
    element("p", { className: "text", textContent: hit.text }),
    element("p", { className: "faint", textContent: `score ${hit.score.toFixed(3)}${hit.found_by.length ? ", by " + hit.found_by.join(" and ") : ""}` }));
}

// --- asking -------------------------------------------------------------------------------------

async function submit(event) {
  event.preventDefault();
  const text = $("text").value.trim();
  const collection = $("collection").value || "default";
  const asks = !event.submitter || event.submitter.value === "ask";
  const buttons = document.querySelectorAll("button");
  if (!text) return;
  buttons.forEach((button) => { button.disabled = true; });
  $("result").replaceChildren(element("p", { className: "faint", textContent: asks ? "Reading…" : "Searching…" }));
  try {
    if (asks) showAnswer(await call("/v1/answers", { question: text, collections: [collection] }));
    else showHits(await call(`/v1/collections/${encodeURIComponent(collection)}/search`, { query: text }));
  } catch (error) {
    $("result").replaceChildren(element("p", { className: "warn", textContent: error.message }));
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

$("question").addEventListener("submit", submit);
showLibrary().catch((error) => { $("library").textContent = error.message; });
