"""Robust aggregation with NumPy over vectors in memory, float32. Prints milliseconds by rule, best of the runs."""

import json
import sys
import time

import numpy

path, n, d, f, runs = sys.argv[1], *map(int, sys.argv[2:6])
x = numpy.fromfile(path, dtype="<f4").reshape(n, d)


def distances():
    squares = numpy.einsum("ij,ij->i", x, x)
    return numpy.maximum(squares[:, None] + squares[None, :] - 2 * (x @ x.T), 0)


def krum(selected):
    table = distances()
    scores = numpy.sort(table, axis=1)[:, 1 : n - f - 1].sum(axis=1)
    return x[numpy.argsort(scores)[:selected]].mean(axis=0)


def geometric_median(steps=32):
    centre = x.mean(axis=0)
    for _ in range(steps):
        pulls = 1 / numpy.maximum(1e-6, numpy.linalg.norm(x - centre, axis=1))
        centre = (pulls / pulls.sum()) @ x
    return centre


def bulyan():
    table = distances()
    left = list(range(n))
    chosen = []
    while len(chosen) < n - 2 * f:
        part = numpy.sort(table[numpy.ix_(left, left)], axis=1)[:, 1 : max(2, len(left) - f - 1)].sum(axis=1)
        chosen.append(left.pop(int(numpy.argmin(part))))
    keep = len(chosen) - 2 * f
    rows = x[chosen]
    near = numpy.argpartition(numpy.abs(rows - numpy.median(rows, axis=0)), keep - 1, axis=0)[:keep]
    return numpy.take_along_axis(rows, near, axis=0).mean(axis=0)


def nearest_neighbours_median():
    near = numpy.argsort(distances(), axis=1)[:, : n - f]
    mixing = numpy.zeros((n, n), dtype=numpy.float32)
    numpy.put_along_axis(mixing, near, 1 / (n - f), axis=1)
    return numpy.median(mixing @ x, axis=0)


RULES = {
    "median": lambda: numpy.median(x, axis=0),
    "trimmed-mean": lambda: numpy.sort(x, axis=0)[f : n - f].mean(axis=0),
    "krum": lambda: krum(1),
    "multi-krum": lambda: krum(n - f),
    "geometric-median": geometric_median,
    "bulyan": bulyan,
    "nearest-neighbours + median": nearest_neighbours_median,
}


def milliseconds(rule):
    since = time.perf_counter()
    rule()
    return (time.perf_counter() - since) * 1000


wanted = sys.argv[6:] or list(RULES)
print(json.dumps({name: min(milliseconds(RULES[name]) for _ in range(runs)) for name in wanted}))
