"""Yardsticks of the kernels' bench: NumPy and PyTorch on one thread, with the same sizes.

Reads one JSON object a line, {"library", "what", "repeats", ...}; answers {"ms"} of processor time of one repetition each.
{"what": "versions"} answers with those of the libraries that can be imported.
"""

import json
import os
import sys
import time

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

NODES, EDGES, WIDTH = 10_000, 100_000, 64
BATCH, WIDTHS = 1024, (64, 256, 256, 2)
RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


def random_graph(numpy):
    """Source and destination of each edge, in the order of destinations."""
    random = numpy.random.default_rng(1)
    destination = numpy.sort(random.integers(0, NODES, EDGES))
    return random.integers(0, NODES, EDGES), destination


def csr(numpy, rows, columns):
    """Pointers and indices of a matrix with ones at (rows, columns)."""
    order = numpy.argsort(rows, kind="stable")
    pointers = numpy.concatenate(([0], numpy.cumsum(numpy.bincount(rows, minlength=NODES))))
    return pointers, columns[order]


class NumpyAdam:
    def __init__(self, numpy, shapes):
        random = numpy.random.default_rng(2)
        self.numpy = numpy
        self.values = [(random.random(shape, dtype=numpy.float32) - 0.5) * (0.3 if shape[0] > 1 else 0) for shape in shapes]
        self.moments = [(numpy.zeros_like(value), numpy.zeros_like(value)) for value in self.values]
        self.steps = 0

    def step(self, gradients):
        self.steps += 1
        rate = RATE / (1 - BETA1**self.steps)
        scale = 1 / (1 - BETA2**self.steps) ** 0.5
        for value, gradient, (first, second) in zip(self.values, gradients, self.moments):
            first *= BETA1
            first += (1 - BETA1) * gradient
            second *= BETA2
            second += (1 - BETA2) * gradient * gradient
            value -= rate * first / (self.numpy.sqrt(second) * scale + EPSILON)


def numpy_cross_entropy(numpy, logits, labels):
    """Gradient of the mean loss by the logits."""
    e = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    p[numpy.arange(len(labels)), labels] -= 1
    return p / len(labels)


def numpy_product(numpy, m, k, n):
    random = numpy.random.default_rng(0)
    a, b = random.random((m, k), dtype=numpy.float32), random.random((k, n), dtype=numpy.float32)
    out = numpy.empty((m, n), dtype=numpy.float32)
    return lambda: numpy.matmul(a, b, out=out)


def numpy_perceptron(numpy):
    random = numpy.random.default_rng(0)
    x = random.random((BATCH, WIDTHS[0]), dtype=numpy.float32) - 0.5
    labels = random.integers(0, 2, BATCH)
    shapes = [shape for i, o in zip(WIDTHS, WIDTHS[1:]) for shape in ((i, o), (1, o))]
    adam = NumpyAdam(numpy, shapes)
    w1, b1, w2, b2, w3, b3 = adam.values

    def step():
        h1 = numpy.maximum(x @ w1 + b1, 0)
        h2 = numpy.maximum(h1 @ w2 + b2, 0)
        g3 = numpy_cross_entropy(numpy, h2 @ w3 + b3, labels)
        g2 = (g3 @ w3.T) * (h2 > 0)
        g1 = (g2 @ w2.T) * (h1 > 0)
        pairs = ((x, g1), (h1, g2), (h2, g3))
        adam.step([part for h, g in pairs for part in (h.T @ g, g.sum(axis=0, keepdims=True))])

    return step


def numpy_sage(numpy):
    random = numpy.random.default_rng(0)
    source, destination = random_graph(numpy)
    pointers, indices = csr(numpy, destination, source)
    back_pointers, back_indices = csr(numpy, source, destination)
    counts = numpy.diff(pointers)
    inverse = (1 / numpy.maximum(counts, 1)).astype(numpy.float32)[:, None]
    x = random.random((NODES, WIDTH), dtype=numpy.float32) - 0.5
    labels = (random.random(NODES) < 0.1).astype(numpy.int64)
    square = (WIDTH, WIDTH)
    adam = NumpyAdam(numpy, [square, square, (1, WIDTH), square, square, (1, WIDTH), (WIDTH, 2), (1, 2)])
    s1, n1, b1, s2, n2, b2, wo, bo = adam.values

    def sums(values, pointers, indices):
        out = numpy.zeros((NODES, WIDTH), dtype=numpy.float32)
        filled = numpy.flatnonzero(numpy.diff(pointers))
        out[filled] = numpy.add.reduceat(values[indices], pointers[filled], axis=0)
        return out

    def step():
        a1 = sums(x, pointers, indices) * inverse
        h1 = numpy.maximum(x @ s1 + a1 @ n1 + b1, 0)
        a2 = sums(h1, pointers, indices) * inverse
        h2 = numpy.maximum(h1 @ s2 + a2 @ n2 + b2, 0)
        go = numpy_cross_entropy(numpy, h2 @ wo + bo, labels)
        g2 = (go @ wo.T) * (h2 > 0)
        g1 = (g2 @ s2.T + sums((g2 @ n2.T) * inverse, back_pointers, back_indices)) * (h1 > 0)
        rows = lambda g: g.sum(axis=0, keepdims=True)
        adam.step([x.T @ g1, a1.T @ g1, rows(g1), h1.T @ g2, a2.T @ g2, rows(g2), h2.T @ go, rows(go)])

    return step


def torch_product(torch, m, k, n):
    a, b, out = torch.rand(m, k), torch.rand(k, n), torch.empty(m, n)
    return lambda: torch.mm(a, b, out=out)


def torch_training(torch, model, loss_of):
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)

    def step():
        optimiser.zero_grad(set_to_none=True)
        loss_of().backward()
        optimiser.step()

    return step


def torch_perceptron(torch):
    layers = []
    for i, o in zip(WIDTHS, WIDTHS[1:]):
        layers += [torch.nn.Linear(i, o), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    x, labels = torch.rand(BATCH, WIDTHS[0]) - 0.5, torch.randint(0, 2, (BATCH,))
    return torch_training(torch, model, lambda: torch.nn.functional.cross_entropy(model(x), labels))


def torch_sage(torch, variant):
    import numpy

    source, destination = random_graph(numpy)
    ones = torch.ones(EDGES)

    def sparse(rows, columns):
        pointers, indices = csr(numpy, rows, columns)
        return torch.sparse_csr_tensor(torch.from_numpy(pointers), torch.from_numpy(indices.copy()), ones, (NODES, NODES))

    forward, backward = sparse(destination, source), sparse(source, destination)
    inverse = (1 / torch.from_numpy(numpy.maximum(numpy.bincount(destination, minlength=NODES), 1)).float())[:, None]
    source, destination = torch.from_numpy(source), torch.from_numpy(destination)

    class Mean(torch.autograd.Function):
        @staticmethod
        def forward(_, x):
            return torch.mm(forward, x) * inverse

        @staticmethod
        def backward(_, g):
            return torch.mm(backward, g * inverse)

    means = {
        "csr": Mean.apply,
        "index_add": lambda x: torch.zeros(NODES, WIDTH).index_add(0, destination, x[source]) * inverse,
    }
    mean = means[variant]

    class Sage(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.own = torch.nn.ModuleList([torch.nn.Linear(WIDTH, WIDTH) for _ in range(2)])
            self.neighbour = torch.nn.ModuleList([torch.nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(2)])
            self.head = torch.nn.Linear(WIDTH, 2)

        def forward(self, x):
            for own, neighbour in zip(self.own, self.neighbour):
                x = torch.relu(own(x) + neighbour(mean(x)))
            return self.head(x)

    model = Sage()
    x, labels = torch.rand(NODES, WIDTH) - 0.5, (torch.rand(NODES) < 0.1).long()
    return torch_training(torch, model, lambda: torch.nn.functional.cross_entropy(model(x), labels))


LIBRARIES = {}


def library(name):
    if name not in LIBRARIES:
        LIBRARIES[name] = __import__(name)
        if name == "torch":
            LIBRARIES[name].set_num_threads(1)
    return LIBRARIES[name]


def versions():
    found = {}
    for name in ("numpy", "torch"):
        try:
            found[name] = library(name).__version__
        except (ImportError, ValueError, OSError):
            pass
    return found


MAKERS = {
    ("numpy", "product"): lambda lib, job: numpy_product(lib, *job["size"]),
    ("numpy", "perceptron"): lambda lib, job: numpy_perceptron(lib),
    ("numpy", "sage"): lambda lib, job: numpy_sage(lib),
    ("torch", "product"): lambda lib, job: torch_product(lib, *job["size"]),
    ("torch", "perceptron"): lambda lib, job: torch_perceptron(lib),
    ("torch", "sage"): lambda lib, job: torch_sage(lib, job["variant"]),
}
PREPARED = {}


def measure(job):
    key = json.dumps({name: value for name, value in job.items() if name != "repeats"}, sort_keys=True)
    if key not in PREPARED:
        PREPARED[key] = MAKERS[(job["library"], job["what"])](library(job["library"]), job)
    since = time.process_time()
    for _ in range(job["repeats"]):
        PREPARED[key]()
    return (time.process_time() - since) * 1000 / job["repeats"]


import warnings

warnings.filterwarnings("ignore", module="torch")
for line in sys.stdin:
    job = json.loads(line)
    answer = versions() if job["what"] == "versions" else {"ms": measure(job)}
    print(json.dumps(answer), flush=True)
