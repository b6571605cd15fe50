"""Flower's SecAgg+ without its network: the client's own functions, and the server's loops over Flower's own functions.

Reads one JSON job a line, answers each with one JSON line. Times are milliseconds, by the clock and of the processor.
"""

import importlib
import json
import os
import random
import sys
import time
from types import SimpleNamespace

import numpy
from flwr.common import bytes_to_ndarray, ndarray_to_bytes, ndarrays_to_parameters
from flwr.common.secure_aggregation.crypto.shamir import combine_shares, create_shares
from flwr.common.secure_aggregation.crypto.symmetric_encryption import encrypt, generate_shared_key
from flwr.common.secure_aggregation.ndarrays_arithmetic import (
    factor_combine,
    factor_extract,
    get_parameters_shape,
    parameters_addition,
    parameters_mod,
    parameters_subtraction,
)
from flwr.common.secure_aggregation.quantization import dequantize, quantize
from flwr.common.secure_aggregation.secaggplus_constants import Key
from flwr.common.secure_aggregation.secaggplus_utils import pseudo_rand_gen, share_keys_plaintext_concat
from flwr.supercore.primitives.asymmetric import (
    bytes_to_private_key,
    bytes_to_public_key,
    generate_key_pairs,
    private_key_to_bytes,
    public_key_to_bytes,
)

# The package shows a function of the module's name in its place.
client = importlib.import_module("flwr.client.mod.secure_aggregation.secaggplus_mod")

# The defaults of SecAggPlusWorkflow.
CLIP, TARGET, MODULUS, WEIGHT_MAX = 8.0, 1 << 22, 1 << 32, 1000.0


class Timer:
    """Adds up what is done within it."""

    def __init__(self):
        self.wall = self.processor = 0.0

    def __enter__(self):
        self.since = time.perf_counter(), time.process_time()

    def __exit__(self, *_):
        self.wall += (time.perf_counter() - self.since[0]) * 1000
        self.processor += (time.process_time() - self.since[1]) * 1000

    def json(self):
        return {"wall": self.wall, "processor": self.processor}


class Round:
    """Node i of the ring has the neighbours i - half .. i + half, itself included, as the workflow's setup_stage has it."""

    def __init__(self, n, d, dropouts, shares, threshold, seed):
        random.seed(seed)
        numpy.random.seed(seed)
        self.n, self.d, self.shares, self.threshold = n, d, shares, threshold
        half = shares >> 1
        self.neighbours = {i: {(i + offset) % n for offset in range(-half, half + 1)} for i in range(n)}
        self.dead = set(range(dropouts))
        self.active = set(range(dropouts, n))
        self.pairs = [tuple(generate_key_pairs() for _ in range(2)) for _ in range(n)]
        self.public = {i: [public_key_to_bytes(pk) for _, pk in pair] for i, pair in enumerate(self.pairs)}
        self.secret = {i: private_key_to_bytes(self.pairs[i][0][0]) for i in range(n)}
        self.update = numpy.random.uniform(-1, 1, d).astype(numpy.float32)
        # All nodes have the same self-mask seed and the same update, or preparing would take longer than measuring.
        self.seed = os.urandom(32)
        self.prepare_server()

    def prepare_server(self):
        seed_shares = create_shares(self.seed, self.threshold, self.shares)
        self.collected = {i: seed_shares[: len(self.neighbours[i] & self.active)] for i in self.active}
        for i in self.dead:
            shares = create_shares(self.secret[i], self.threshold, self.shares)
            self.collected[i] = shares[: len(self.neighbours[i] & self.active)]
        quantised = factor_combine(TARGET // 10, quantize([self.update * 0.1], CLIP, TARGET))
        shapes = get_parameters_shape(quantised)
        masked = parameters_addition(quantised, pseudo_rand_gen(self.seed, MODULUS, shapes))
        self.vectors = []
        for i in self.active:
            own = masked
            for j in self.neighbours[i] & self.dead:
                mask = pseudo_rand_gen(self.agreed(i, j), MODULUS, shapes)
                own = parameters_addition(own, mask) if i > j else parameters_subtraction(own, mask)
            self.vectors.append([ndarray_to_bytes(a) for a in parameters_mod(own, MODULUS)])
        self.expected = parameters_mod([a.astype(numpy.int64) * len(self.active) for a in quantised], MODULUS)

    def agreed(self, i, j):
        return generate_shared_key(self.pairs[i][0][0], self.pairs[j][0][1])

    def server(self):
        """collect_masked_vectors_stage and unmask_stage of SecAggPlusWorkflow, without messages."""
        neighbours = {i: set(some) for i, some in self.neighbours.items()}
        timer = Timer()
        with timer:
            total = None
            for parts in self.vectors:
                vector = [bytes_to_ndarray(part) for part in parts]
                total = vector if total is None else parameters_addition(total, vector)
            total = parameters_mod(total, MODULUS)
            for i, shares in self.collected.items():
                assert len(shares) >= self.threshold
                secret = combine_shares(shares)
                if i in self.active:
                    total = parameters_subtraction(
                        total, pseudo_rand_gen(secret, MODULUS, get_parameters_shape(total))
                    )
                    continue
                neighbours[i].remove(i)
                for j in neighbours[i]:
                    key = generate_shared_key(bytes_to_private_key(secret), bytes_to_public_key(self.public[j][0]))
                    mask = pseudo_rand_gen(key, MODULUS, get_parameters_shape(total))
                    total = parameters_addition(total, mask) if i > j else parameters_subtraction(total, mask)
            plain = parameters_mod(total, MODULUS)
            ratio, vectors = factor_extract(plain)
            aggregate = dequantize(vectors, CLIP, TARGET)
            for vector in aggregate:
                vector += -(len(self.active) - 1) * CLIP
                vector *= TARGET / ratio
        exact = all((a == b).all() for a, b in zip(plain, self.expected))
        return {**timer.json(), "exact": bool(exact)}

    def client(self):
        """One node through all four stages: the functions behind secaggplus_mod."""
        me = self.n - 1
        state, timer = client.SecAggPlusState(nid=me), Timer()
        config = {
            Key.SAMPLE_NUMBER: self.n,
            Key.SHARE_NUMBER: self.shares,
            Key.THRESHOLD: self.threshold,
            Key.CLIPPING_RANGE: CLIP,
            Key.TARGET_RANGE: TARGET,
            Key.MOD_RANGE: MODULUS,
            Key.MAX_WEIGHT: WEIGHT_MAX,
        }
        with timer:
            own = client._setup(state, config)
        keys = {str(i): tuple(self.public[i]) for i in self.neighbours[me]}
        keys[str(me)] = (own[Key.PUBLIC_KEY_1], own[Key.PUBLIC_KEY_2])
        with timer:
            sent = client._share_keys(state, keys)
        others = sorted(self.neighbours[me] - {me})
        box = bytes_to_public_key(own[Key.PUBLIC_KEY_2])
        shares = create_shares(self.seed, 2, 2)[0], create_shares(self.secret[0], 2, 2)[0]
        boxes = [
            encrypt(generate_shared_key(self.pairs[i][1][0], box), share_keys_plaintext_concat(i, me, *shares))
            for i in others
        ]
        parameters = ndarrays_to_parameters([self.update])
        with timer:
            vector = client._collect_masked_vectors(
                state, {Key.CIPHERTEXT_LIST: boxes, Key.SOURCE_LIST: others}, 100, parameters
            )
        active, dead = self.neighbours[me] & self.active, self.neighbours[me] & self.dead
        with timer:
            shown = client._unmask(
                state, {Key.ACTIVE_NODE_ID_LIST: list(active), Key.DEAD_NODE_ID_LIST: list(dead)}
            )
        return {
            **timer.json(),
            "bytes": {
                "shares": sum(map(len, sent[Key.CIPHERTEXT_LIST])),
                "vector": sum(map(len, vector[Key.MASKED_PARAMETERS])),
                "reveal": sum(map(len, shown[Key.SHARE_LIST])),
            },
        }


def main():
    current = SimpleNamespace()
    for line in sys.stdin:
        job = json.loads(line)
        what = job.pop("what")
        if what == "prepare":
            current = Round(**job)
            answer = {}
        else:
            answer = getattr(current, what)()
        print(json.dumps(answer), flush=True)


main()
