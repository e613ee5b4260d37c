#!/usr/bin/env bash
# One GPU's ten minutes, the most wanted first: the CUDA tests; inference and the training step beside torchvision's,
# with their memory; then the quarter-scale tables, as many runs as the time allows, each recorded when it is finished.
#
#   benchmarks/gpu.sh --out gpu-run                    # 570 seconds on the first GPU
#   benchmarks/gpu.sh --out gpu-run --seconds 240      # another budget
#   benchmarks/gpu.sh --out gpu-run --skip "tests speed"       # the tables alone
#   benchmarks/gpu.sh --out gpu-run -- --compile       # what follows -- goes to python -m benchmarks gpu
#
# Repeated with the same --out it continues: recorded runs are not run again, and trainings resume. It needs torch,
# torchvision and what dlv3 itself needs; without pytest the tests are left out. PYTHON names another interpreter.
# Exit status: 0 where every step went well or ran out of time, 1 otherwise; summary.txt says which.
set -uo pipefail

python=${PYTHON:-python3}
out='' seconds=570 device=cuda jobs='' seeds=3 preset=quarter skip=''
tables='T2 T3 T5 T1 T6'
cuda_tests='tests/evaluation/test_metrics.py tests/training/test_updates.py tests/benchmarks/test_gpu.py'
benchmark=(--output-stride 16 8 --batch 1 16 --training-size 513 --training-batch 16 --rounds 5 --seconds 3)

usage() {
    sed -n '2,14s/^# \{0,1\}//p' "$0"
    echo "options: --out FOLDER --seconds N --device cuda|cpu --jobs N --seeds N --preset NAME --tables NAMES"
    echo "         --tests FILES --skip 'tests speed tables' -- OPTIONS OF THE BENCHMARK"
}
refuse() {
    echo "gpu.sh: error: $1" >&2
    exit 2
}
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage; exit 0 ;;
        --) shift; benchmark+=("$@"); break ;;
        --out | --seconds | --device | --jobs | --seeds | --preset | --tables | --tests | --skip)
            [ $# -ge 2 ] || refuse "$1: give a value"
            case $1 in --tests) cuda_tests=$2 ;; *) printf -v "${1#--}" '%s' "$2" ;; esac
            shift 2 ;;
        *) refuse "$1: not an option; --help lists them" ;;
    esac
done
for number in "$seconds" "${jobs:-1}" "$seeds"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || refuse "$number: expected a whole number of at least 1"
done
[ -n "$out" ] || refuse "--out: give a folder for the results"

# A run at quarter scale keeps one core busy and a small part of the GPU.
jobs=${jobs:-$(nproc)}
mkdir -p "$out" || exit 1
out=$(cd "$out" && pwd)
cd "$(dirname "$0")/.." || exit 1
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} PYTHONUNBUFFERED=1
failed=0
left() { echo $((seconds - SECONDS)); }
say() { echo "$*" | tee -a "$out/summary.txt"; }

# step NAME SHARE COMMAND…: run a command for at most SHARE percent of the time that is left. SIGINT lets it save.
step() {
    local name=$1 limit=$(($(left) * $2 / 100)) begun=$SECONDS status
    shift 2
    case " $skip " in *" $name "*) say "$name: skipped"; return ;; esac
    [ "$limit" -ge 5 ] || { say "$name: no time left"; return; }
    timeout --signal INT --kill-after 20 "$limit" "$@" 2>&1 | tee "$out/$name.log"
    status=${PIPESTATUS[0]}
    case $status in
        0) say "$name: done in $((SECONDS - begun)) s" ;;
        124 | 130 | 137) say "$name: stopped after $((SECONDS - begun)) s, its share of the time" ;;
        *) say "$name: FAILED with status $status, see $name.log"; failed=1 ;;
    esac
}

: >"$out/summary.txt"
[ "$device" = cpu ] || nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader | tee "$out/gpu.txt"
if "$python" -c 'import pytest' 2>/dev/null; then
    # Tests of other devices are skipped by themselves.
    # shellcheck disable=SC2086
    step tests 25 "$python" -m pytest -q -p no:cacheprovider -m 'not slow' $cuda_tests
else
    say "tests: left out, because pytest is not installed"
fi
step speed 45 "$python" -m benchmarks gpu --device "$device" --json "$out/gpu.json" "${benchmark[@]}"
# Some seconds, 14 of 570, are kept for trainings that save what they have.
seconds=$((seconds - seconds / 40))
# shellcheck disable=SC2086
step tables 100 "$python" -m dlv3 ablate $tables --preset "$preset" --seeds "$seeds" --jobs "$jobs" \
    --results "$out/results" --work "$out/work"
# One file to take along.
[ ! -d "$out/results" ] || tar -C "$out" -czf "$out/results.tar.gz" results
runs=$(find "$out/results" -name '*.json' 2>/dev/null | wc -l)
say "$runs runs recorded in $out/results; $SECONDS s in all"
exit "$failed"
