"""Prints a token shard as another program sees it: with h5py and hdf5plugin.

    read_shard.py documents SHARD...     a document a line, ids separated by spaces (lines run on over shards)
    read_shard.py check SHARD            checks attributes, layout and filter
    read_shard.py cut TRAIN VAL WHOLE    one document's ids, cut in two, are those of the whole
"""
import sys

try:
    import h5py
    import hdf5plugin  # noqa: F401 (registers filter 32015)
    import numpy as np
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)


def documents(paths):
    line = []
    for path in paths:
        with h5py.File(path, "r") as file:
            tokens = file["tokens"][:]
            starts = [int(s) for s in file["documents"][:]]
            assert starts == sorted(set(starts)) and all(s < len(tokens) for s in starts), starts
            bounds = [0] + [s for s in starts if s > 0] + [len(tokens)]
            for begin, end in zip(bounds, bounds[1:]):
                if begin in starts and line:
                    print(*line)
                    line = []
                line += tokens[begin:end].tolist()
    if line:
        print(*line)


def check(path):
    with h5py.File(path, "r") as file:
        tokens = file["tokens"]
        count = int(file.attrs["token_count"])
        vocab = int(file.attrs["vocabulary_size"])
        assert tokens.shape == (count,), tokens.shape
        assert tokens.chunks == (1 << 20,), tokens.chunks
        assert tokens.dtype == (np.uint16 if vocab <= 65536 else np.uint32), tokens.dtype
        assert int(file.attrs["format_version"]) == 1
        assert file.attrs["tokenizer_fingerprint"].dtype == np.uint64
        assert int(file.attrs["text_bytes"]) > 0
        assert tokens.attrs["chunk_xxh3_64"].shape == (-(-count // (1 << 20)),)
        assert file["documents"].dtype == np.uint64
        plist = tokens.id.get_create_plist()
        assert plist.get_nfilters() == 1 and plist.get_filter(0)[0] == 32015, plist.get_filter(0)
        assert len(plist.get_filter(0)[2]) == 1, plist.get_filter(0)
        assert int(tokens[:].max()) < vocab
    print("ok")


def cut(train, val, whole):
    ids = []
    for path in (train, val, whole):
        with h5py.File(path, "r") as file:
            ids.append(file["tokens"][:])
    assert len(ids[1]) > 1 and ids[0][-1] == ids[2][-1]
    assert np.array_equal(np.concatenate([ids[0][:-1], ids[1]]), ids[2])
    print("ok")


if sys.argv[1] == "documents":
    documents(sys.argv[2:])
elif sys.argv[1] == "cut":
    cut(*sys.argv[2:])
else:
    check(sys.argv[2])
