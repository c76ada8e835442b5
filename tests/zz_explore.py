from __future__ import annotations
from pathlib import Path
import pytest, json, sys, threading
from isocost.running.calls import Retrying
from tests import openai_runs as runs
from tests.engines.openai.server import Server

F = open("/tmp/h/explore.txt", "a")
@pytest.fixture
def shell(monkeypatch, capsys):
    monkeypatch.delenv(runs.VARIABLE, raising=False)
    return runs.Shell(monkeypatch, capsys)

def say(*a): print(*a, file=F, flush=True)
def show(left):
    keep=[l for l in left.err.splitlines() if not l.startswith("sample  ")] + [l for l in left.err.splitlines() if l.startswith("sample  ")][-1:]
    say("CODE", left.code, "\nOUT", left.out.strip(), "\nERR", "\n    ".join(keep))
def go(shell, study, out, *more):
    left = shell("run", study, "-o", out, *more); show(left)
    if (out/"ledger.jsonl").exists(): say("events", runs.events(out), "stored", len(runs.stored(out)))
    return left

@pytest.mark.parametrize("fault", ["no usage","echoes the key","echoes the key forbidden", "402","429 quota","redirects","400"])
def test_fault(tmp_path, shell, fault, monkeypatch):
    monkeypatch.setenv(runs.VARIABLE, runs.KEY)
    with Server(faults=[fault]) as server:
        study = runs.write(tmp_path, runs.raw(server.url))
        say("\n=====", fault)
        go(shell, study, tmp_path/"out")

def test_401(tmp_path, shell, monkeypatch):
    with Server(key="other") as server:
        say("\n===== 401")
        study = runs.write(tmp_path, runs.raw(server.url))
        go(shell, study, tmp_path/"out")
        monkeypatch.setenv(runs.VARIABLE, runs.KEY)
        go(shell, study, tmp_path/"out", "--debug")

def test_name(tmp_path, shell):
    with Server(models=["tiny-1b", "x"]) as server:
        say("\n===== name")
        go(shell, runs.write(tmp_path, runs.raw(server.url)), tmp_path/"out")
    say("\n==== down")
    shell.retry(Retrying(first=0.01, longest=0.05, patience=0.5))
    go(shell, tmp_path/"study.yaml", tmp_path/"out")
    say("\n==== official"); 
    go(shell, runs.write(tmp_path, runs.raw("https://api.openai.com/v1")), tmp_path/"out2")

def test_context(tmp_path, shell):
    with Server(context=8) as server:
        say("\n===== context")
        s = runs.write(tmp_path, runs.raw(server.url)); 
        with open(tmp_path/"problems.jsonl","a") as f: f.write(json.dumps({"id":"long","question":"word "*30,"answer":"1"})+"\n")
        go(shell, s, tmp_path/"out")
        show(shell("status", tmp_path/"out"))
        say((tmp_path/"out"/"report.md").read_text())

@pytest.mark.parametrize("change", [
  dict(budgets={"low":{"unit":"usd","amount":1e-5,"basis":"realised"}}, arms={"weak":{"models":["weak"]}}),
  dict(budgets={"low":{"unit":"usd","amount":1e-5}}, arms={"weak":{"models":["weak"]}}),
  dict(budgets={"low":{"unit":"flops","amount":1e9}}, arms={"weak":{"models":["weak"]}}),
  dict(limit={"unit":"usd","amount":1e-5}),
  dict(limit={"unit":"usd","amount":2e-3}),
  dict(limit={"unit":"flops","amount":2e-3}),
])
def test_budget(tmp_path, shell, change):
    with Server() as server:
        say("\n=====", change)
        s = runs.write(tmp_path, runs.raw(server.url, **change)); 
        go(shell, s, tmp_path/"out")
        say("---- no price")
        raw = runs.raw(server.url, **change)
        del raw["models"]["weak"]["price"]
        go(shell, runs.write(tmp_path, raw), tmp_path/"out2")

def test_fewer(tmp_path, shell):
    with Server(every={"fewer choices": 2}) as server:
        say("\n===== fewer")
        go(shell, runs.write(tmp_path, runs.raw(server.url, models={"weak": runs.model(server.url, n=3)})), tmp_path/"out")
    with Server(every={"fewer choices": 1}) as server:
        say("\n===== always fewer")
        go(shell, runs.write(tmp_path, runs.raw(server.url, models={"weak": runs.model(server.url, n=3)})), tmp_path/"out2")

def test_dry(tmp_path, shell):
    with Server() as server:
        say("\n===== dry")
        (tmp_path/"prices.yaml").write_text("dated: 2026-11-01\nmodels:\n  tiny: {input: 1, output: 10, input_cache_read: 0.1}\n")
        raw = runs.raw(server.url, costs={"prices":"prices.yaml"}, budgets={"low":{"unit":"usd","amount":1e-2}}, arms={"weak":{"models":["weak"]}}, prompt={"form":"Q: {question}\nA:","chat":True,"system":"Be brief."})
        del raw["models"]["weak"]["price"]
        s = runs.write(tmp_path, raw)
        show(shell("run", s, "--dry-run")); show(shell("plan", s)); show(shell("run", s, "-o", tmp_path/"out")); show(shell("status", tmp_path/"out"))
        say(server.requests)
        (tmp_path/"prices.yaml").write_text("dated: 2026-11-01\nmodels:\n  tinny: {inptu: 1, output: 10, input_cache_read: 0.1}\n")
        show(shell("run", s, "--dry-run"))
        (tmp_path/"prices.yaml").write_text("dated: 2026-11-01\nmodels:\n  tinny: {input: 1, output: 10, input_cache_read: 0.1}\n")
        show(shell("run", s, "--dry-run"))

def test_flags(tmp_path, shell):
    say("\n===== flags")
    with Server() as server:
        s = runs.write(tmp_path, runs.raw(server.url, models={"weak": runs.model(server.url, concurency=3)}))
        show(shell("run", s)); show(shell("run", s, "--sett", "a=b")); show(shell("run", "nothing.yaml")); show(shell("run", s, "--set", "models.weak.base_url=ftp://x")); show(shell("run", s, "--set", "models.weak.timeout=-1", "--set", "models.weak.concurency=null"))
        s = runs.write(tmp_path, runs.raw(server.url, models={"weak": runs.model(server.url, base_url="http://u:secretpw@h/v1", n=0)}))
        show(shell("run", s)); 
