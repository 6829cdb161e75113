"""walk_flips.py FILE LIST: LIST has lines "byte bit". FILE with any one of these bits flipped must be the same to
h5py as it is: every object by name and in the order of creation, its attributes, its size, its values."""
import io
import sys

import h5py
import hdf5plugin  # noqa: F401  the filter of token shards


def values(dataset):
    return dataset.shape, dataset.dtype.str, dataset[()].tobytes(), dataset.chunks


def attributes(thing):
    return sorted((name, thing.attrs[name].tobytes()) for name in thing.attrs)


def walk(group, path="/"):
    h5py.h5o.get_info(group.id)
    seen = [(path, attributes(group), group.id.get_num_objs())]
    names = sorted(group)
    if group.id.get_create_plist().get_link_creation_order():
        order = []
        group.id.links.iterate(order.append, idx_type=h5py.h5.INDEX_CRT_ORDER)
        seen.append(order)
        assert sorted(name.decode() for name in order) == names
    for name in names:
        thing = group[name]
        if isinstance(thing, h5py.Group):
            seen += walk(thing, f"{path}{name}/")
        else:
            h5py.h5o.get_info(thing.id)
            seen.append((path + name, attributes(thing), values(thing)))
    return seen


def read(data):
    with h5py.File(io.BytesIO(bytes(data)), "r") as file:
        return walk(file)


data = bytearray(open(sys.argv[1], "rb").read())
whole = read(data)
bad = []
for line in open(sys.argv[2]):
    at, bit = map(int, line.split())
    data[at] ^= 1 << bit
    try:
        if read(data) != whole:
            bad.append((at, "other contents"))
    except Exception as error:
        bad.append((at, f"{type(error).__name__}: {error}"[:100]))
    data[at] ^= 1 << bit
for at, what in bad[:10]:
    print(f"{sys.argv[1]}: byte {at} flipped passed --verify, but h5py sees: {what}")
sys.exit(1 if bad else 0)
