"""Cited answers from your own documents and code.

The house, each row importing only from rows below it (`tests/test_architecture.py` holds this):

    api, cli                                edge: HTTP and the terminal
    wiring                                  the composition root: settings -> services
    providers, sentence_models              which provider or model each part of the work has
    settings                                one frozen struct, read once
    worker                                  claims what is queued, and runs the stories
    reindexing                              story: stored text -> another index of it
    answering, estimation, buying,          stories; buying: ahead, in batches; comparing: of two
    comparing, picturing, verifying,        indexes; picturing: what is cited; verifying: what
    unpacking, visiting                     anybody says; visiting: addresses and sites
    exploring                               story: a chat model looks further before it answers
    gathering                               story: passages of documents and of code, in turn
    retrieval, ingestion, codebase,         stories; fetching: of what has an address; routing: of
    calibration, browsing, holding,         pages to readers; holding: of what a process works on;
    telling                                 telling: of jobs that ended
    pausing                                 when all work must wait, and why
    mistral  local  sources  storage        adapters: one outside thing each
    ports                                   what the stories need from outside
    evaluation                              pure: judged questions, measures, what is chance
    questions                               pure: what is asked -> how it is looked for
    chunking  ranking  grounding            pure: text -> spans, scores -> order, draft -> answer
    trees                                   pure: what a repository holds
    syntax                                  pure: code -> spans and symbols
    verbatim                                pure: what is looked for as it stands -> its lines
    spending  pages  signing                pure: what is paid, and for whom; pages apart, and
    lifetimes                               whole; messages that can be believed. Of processes:
                                            none outlives the one that started it
    domain, errors, sentences               the nouns, what can go wrong, where sentences begin

Start reading at `ingestion`, `retrieval.searching` and `answering`.
"""

__version__ = "0.1.0"
