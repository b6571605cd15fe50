"""Times python-paillier and TenSEAL: prints one JSON object of milliseconds of processor time, and bytes.

python-paillier encrypts one number in a ciphertext, with a key of its own that one process holds whole; `numbers` of them are
timed. TenSEAL encrypts `parameters` numbers in vectors of 4096, at ring degree 8192.
"""

import json
import sys
import time

import phe
import tenseal


def timed(work):
    since = time.process_time()
    result = work()
    return result, 1000 * (time.process_time() - since)


def paillier(bits, numbers):
    public, private = phe.generate_paillier_keypair(n_length=bits)
    values = [(i * 7919) % 65535 - 32767 for i in range(numbers)]
    encrypted, encrypt = timed(lambda: [public.encrypt(value) for value in values])
    total, add = timed(lambda: [one + one for one in encrypted])
    opened, decrypt = timed(lambda: [private.decrypt(one) for one in total])
    assert opened == [2 * value for value in values]
    return {"numbers": numbers, "encrypt": encrypt, "add": add, "decrypt": decrypt, "bytes": numbers * bits // 4}


def ckks(parameters):
    context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, 8192, coeff_mod_bit_sizes=[50, 50])
    context.global_scale = 2**30
    slots = 4096
    values = [((i * 7919) % 65535 - 32767) / 32767 for i in range(parameters)]
    parts = [values[at : at + slots] for at in range(0, parameters, slots)]
    encrypted, encrypt = timed(lambda: [tenseal.ckks_vector(context, part) for part in parts])
    total, add = timed(lambda: [one + one for one in encrypted])
    opened, decrypt = timed(lambda: [one.decrypt() for one in total])
    assert abs(opened[0][1] - 2 * values[1]) < 1e-3
    size = len(parts) * len(encrypted[0].serialize())
    return {"encrypt": encrypt, "add": add, "decrypt": decrypt, "bytes": size}


bits, numbers, parameters = (int(argument) for argument in sys.argv[1:4])
print(
    json.dumps(
        {
            "versions": {"phe": phe.__version__, "tenseal": tenseal.__version__, "gmpy2": phe.util.HAVE_GMP},
            "paillier": paillier(bits, numbers),
            "ckks": ckks(parameters),
        }
    )
)
