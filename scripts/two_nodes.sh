#!/usr/bin/env bash
# One study over two Ray nodes, each in a network namespace of its own, as two machines that share a disk; one node is killed in the
# middle. Ends with the same samples as a run on this machine. Needs Linux, root, iproute2 and the extras transformers and ray.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
work=$(mktemp -d /tmp/isocost-nodes-XXXX)
export RAY_USAGE_STATS_ENABLED=0 RAY_DISABLE_IMPORT_WARNING=1 PYTHONWARNINGS=ignore
# Nodes of a cluster prove that they belong to it by a common token.
RAY_AUTH_MODE=token RAY_AUTH_TOKEN=$(python -c "import secrets; print(secrets.token_hex(32))")
export RAY_AUTH_MODE RAY_AUTH_TOKEN
# A node that is gone is noticed within seconds instead of a minute.
export RAY_health_check_period_ms=1000 RAY_health_check_timeout_ms=2000 RAY_health_check_failure_threshold=3

at() { ip netns exec "isocost-$1" "${@:2}"; }
# Every process whose network is the node's: what dies with a machine.
kill_node() { ip netns pids "isocost-$1" | xargs --no-run-if-empty kill -9 2>/dev/null || true; }
end() {
    [ $? -eq 0 ] || tail -n 20 "$work"/*.log "$work"/*.err >&2 || true
    for node in a b; do
        kill_node $node
        ip netns delete "isocost-$node" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap end EXIT

for node in a b; do
    ip netns add "isocost-$node"
    at $node ip link set lo up
done
ip link add isocost-va netns isocost-a type veth peer name isocost-vb netns isocost-b
at a ip addr add 10.77.0.1/24 dev isocost-va && at a ip link set isocost-va up
at b ip addr add 10.77.0.2/24 dev isocost-vb && at b ip link set isocost-vb up

cat > "$work/study.yaml" <<'YAML'
name: nodes
problems: {train: {source: lab, split: train, limit: 100}}
models:
  weak:   {engine: transformers, model: "lab:tiny", batch_size: 16}
  strong: {engine: transformers, model: "lab:weak", batch_size: 16}
prompt: {template: lab-2shot}
sampling: {temperature: 0.8, max_tokens: 64}
budgets: {low: {unit: flops, match: {model: strong, samples_per_problem: 8}}}
arms: {weak: {models: [weak]}, strong: {models: [strong]}}
grader: {name: number}
YAML

echo "two nodes:"
start=(ray start --num-cpus=1 --object-store-memory=100000000 --disable-usage-stats)
at a "${start[@]}" --head --node-ip-address=10.77.0.1 --port=6379 --include-dashboard=false --temp-dir="$work/a" > "$work/a.log" 2>&1
at b "${start[@]}" --address=10.77.0.1:6379 --node-ip-address=10.77.0.2 > "$work/b.log" 2>&1
at a python - <<'PY' 2> /dev/null
import ray
ray.init(address="10.77.0.1:6379", log_to_driver=False, configure_logging=False)
for node in ray.nodes():
    print(f"  {node['NodeManagerAddress']}  {node['Resources'].get('CPU', 0):.0f} CPU")
PY

at a isocost run "$work/study.yaml" -o "$work/ray" --executor ray --address 10.77.0.1:6379 > "$work/ray.out" 2> "$work/ray.err" &
driver=$!
written() { cat "$work"/ray/pools/*/*."$1"-*.jsonl 2>/dev/null | wc -l; }
until [ "$(written r0)" -ge 3 ] && [ "$(written r1)" -ge 3 ]; do
    kill -0 $driver 2>/dev/null || exit 1
    sleep 0.2
done
echo
echo "batches committed by each worker, in files of its own:"
(cd "$work/ray/pools" && wc -l ./*/*.r*.jsonl)
echo
echo "workers by node:"
for node in a b; do
    ip netns pids "isocost-$node" | xargs ps -o args= -p | grep -E "^ray::WorkerActor" | sed "s/^/  $node  /"
done
echo
echo "node b is killed: $(ip netns pids isocost-b | wc -l) processes"
kill_node b
wait $driver
sed -n '1p;$p' "$work/ray.err"
echo
echo "the same study on this machine:"
isocost run "$work/study.yaml" -o "$work/local" > "$work/local.out" 2> /dev/null
cmp "$work/ray/samples.parquet" "$work/local/samples.parquet"
sha256sum "$work"/{ray,local}/samples.parquet | sed "s|$work/||"
