"""One robust rule of one library over vectors of a file. For each line that comes in it runs once and answers with JSON:

milliseconds by the clock and of the processor, the most memory so far in MiB, and the first coordinates of the result.
Reading the file and making the library's own containers of it is not timed.
"""

import base64
import json
import resource
import sys
import time

import numpy

LIBRARY, RULE, PATH, N, D, F = sys.argv[1], sys.argv[2], sys.argv[3], *map(int, sys.argv[4:7])
SHOWN = 4096
vectors = numpy.fromfile(PATH, dtype="<f4").reshape(N, D)


def flower_functions():
    """flwr.server.strategy.aggregate: what its strategies call."""
    from flwr.server.strategy import aggregate as flower

    def results():
        return [([row], 1) for row in vectors]

    call = {
        "median": flower.aggregate_median,
        "trimmed-mean": lambda all: flower.aggregate_trimmed_avg(all, F / N),
        "krum": lambda all: flower.aggregate_krum(all, F, 0),
        "multi-krum": lambda all: flower.aggregate_krum(all, F, N - F),
    }[RULE]
    return results, lambda all: call(all)[0]


def flower_records():
    """flwr.serverapp.strategy: the strategies of Flower's message interface."""
    from flwr.app import Array, ArrayRecord, MetricRecord, RecordDict
    from flwr.serverapp.strategy import bulyan, multikrum, strategy_utils

    def contents():
        return [
            RecordDict({"arrays": ArrayRecord({"w": Array(row)}), "metrics": MetricRecord({"num-examples": 1.0})})
            for row in vectors
        ]

    def krum(all, count):
        chosen = multikrum.select_multikrum(all, F, count)
        return strategy_utils.aggregate_arrayrecords(chosen, "num-examples")["w"].numpy()

    def bulyan_of(all):
        """As Bulyan.aggregate_train, after its checks of the replies."""
        theta = N - 2 * F
        chosen = [c["arrays"].to_numpy_ndarrays(keep_input=False) for c in multikrum.select_multikrum(all, F, theta)]
        median = [numpy.median(layer, axis=0) for layer in zip(*chosen, strict=True)]
        return bulyan.aggregate_n_closest_weights(median, chosen, theta - 2 * F)[0]

    return contents, {
        "krum": lambda all: krum(all, 1),
        "multi-krum": lambda all: krum(all, N - F),
        "bulyan": bulyan_of,
    }[RULE]


def byzfl(convert):
    from byzfl import aggregators

    rule = {
        "median": lambda: aggregators.Median(),
        "trimmed-mean": lambda: aggregators.TrMean(f=F),
        "krum": lambda: aggregators.Krum(f=F),
        "multi-krum": lambda: aggregators.MultiKrum(f=F),
        "geometric-median": lambda: aggregators.GeometricMedian(),
    }[RULE]()
    own = convert(vectors)
    return (lambda: own), lambda all: numpy.asarray(rule(all))


def torch_tensor(array):
    import torch

    return torch.from_numpy(array)


prepare, run = {
    "flower-functions": flower_functions,
    "flower-records": flower_records,
    "byzfl-numpy": lambda: byzfl(lambda array: array),
    "byzfl-torch": lambda: byzfl(torch_tensor),
}[LIBRARY]()

print(json.dumps({"ready": True}), flush=True)
for _ in sys.stdin:
    given = prepare()
    wall, processor = time.perf_counter(), time.process_time()
    result = run(given)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    shown = numpy.ascontiguousarray(result[:SHOWN], dtype="<f4")
    answer = {
        "wall": wall * 1000,
        "processor": processor * 1000,
        "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "shown": base64.b64encode(shown.tobytes()).decode(),
    }
    del given, result
    print(json.dumps(answer), flush=True)
