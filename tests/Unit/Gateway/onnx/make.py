#!/usr/bin/python3
"""Makes the models of the tests and, with torch and scikit-learn, what they must answer: NAME.onnx and NAME.json (inputs, outputs).

Run with Debian's python3-onnx, python3-torch and python3-sklearn: /usr/bin/python3 make.py
"""

import json
import pathlib

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

HERE = pathlib.Path(__file__).parent
random = numpy.random.default_rng(7)
torch.manual_seed(7)
ML = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]


def case(name, inputs, outputs):
    def plain(value):
        return value.tolist() if hasattr(value, "tolist") else value

    told = {"inputs": {k: plain(v) for k, v in inputs.items()}, "outputs": {k: plain(v) for k, v in outputs.items()}}
    (HERE / f"{name}.json").write_text(json.dumps(told) + "\n")


def exported(name, module, inputs, output_names, dynamic):
    module.eval()
    values = tuple(torch.from_numpy(v) for v in inputs.values())
    with torch.no_grad():
        results = module(*values)
    results = results if isinstance(results, tuple) else (results,)
    torch.onnx.export(module, values, str(HERE / f"{name}.onnx"), input_names=list(inputs), output_names=output_names, dynamic_axes=dynamic, opset_version=14)
    case(name, inputs, {n: r.numpy() for n, r in zip(output_names, results)})


def made(name, nodes, inputs, outputs, initializers=(), opsets=ML):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(initializers))
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(HERE / f"{name}.onnx"))


def tensor(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def f32(*shape):
    return random.normal(size=shape).astype(numpy.float32)


class Attention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = (torch.nn.Linear(8, 8) for _ in range(3))

    def forward(self, x):
        weights = torch.softmax(self.q(x) @ self.k(x).transpose(1, 2) / 8 ** 0.5, dim=-1)
        return weights @ self.v(x)


class Recurrent(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = torch.nn.LSTM(4, 6, batch_first=True), torch.nn.Linear(6, 1)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class Tower(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.items, self.rest = torch.nn.Embedding(20, 5), torch.nn.Linear(3, 5)

    def forward(self, item, features):
        mixed = self.items(item) * self.rest(features)
        return mixed.sum(dim=1), torch.sigmoid(mixed)


def by_torch():
    rows = {0: "n"}
    exported("mlp", torch.nn.Sequential(torch.nn.Linear(30, 64), torch.nn.ReLU(), torch.nn.Linear(64, 2)), {"x": f32(3, 30)}, ["logits"], {"x": rows, "logits": rows})
    exported("cnn", torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(36, 10)), {"image": f32(2, 1, 8, 8)}, ["scores"], {"image": rows, "scores": rows})
    exported("lstm", Recurrent(), {"series": f32(2, 5, 4)}, ["next"], {"series": rows, "next": rows})
    exported("attention", Attention(), {"tokens": f32(2, 4, 8)}, ["mixed"], {"tokens": {0: "n", 1: "t"}, "mixed": {0: "n", 1: "t"}})
    exported("towers", Tower(), {"item": random.integers(0, 20, 4), "features": f32(4, 3)}, ["score", "parts"], {n: rows for n in ("item", "features", "score", "parts")})


def by_sklearn():
    x = f32(60, 4)
    classes = (x[:, 0] + 2 * x[:, 1] > 0).astype(int) + (x[:, 2] > 1)
    logistic = LogisticRegression().fit(x, classes)
    made("logistic", [
        helper.make_node("LinearClassifier", ["x"], ["label", "raw"], domain="ai.onnx.ml", coefficients=logistic.coef_.ravel().tolist(), intercepts=logistic.intercept_.tolist(), classlabels_ints=logistic.classes_.tolist(), multi_class=0, post_transform="SOFTMAX"),
        helper.make_node("Identity", ["raw"], ["probabilities"])],
        [tensor("x", TensorProto.FLOAT, [None, 4])], [tensor("label", TensorProto.INT64, [None]), tensor("probabilities", TensorProto.FLOAT, [None, 3])])
    case("logistic", {"x": x[:5]}, {"label": logistic.predict(x[:5]), "probabilities": logistic.predict_proba(x[:5])})
    maps = onnx.TypeProto()
    maps.sequence_type.elem_type.map_type.key_type = TensorProto.INT64
    maps.sequence_type.elem_type.map_type.value_type.tensor_type.elem_type = TensorProto.FLOAT
    made("zipmap", [
        helper.make_node("LinearClassifier", ["x"], ["label", "raw"], domain="ai.onnx.ml", coefficients=logistic.coef_.ravel().tolist(), intercepts=logistic.intercept_.tolist(), classlabels_ints=logistic.classes_.tolist(), multi_class=0, post_transform="SOFTMAX"),
        helper.make_node("ZipMap", ["raw"], ["probabilities"], domain="ai.onnx.ml", classlabels_int64s=logistic.classes_.tolist())],
        [tensor("x", TensorProto.FLOAT, [None, 4])],
        [tensor("label", TensorProto.INT64, [None]), onnx.ValueInfoProto(name="probabilities", type=maps)])
    case("zipmap", {"x": x[:2]}, {"label": logistic.predict(x[:2]), "probabilities": [{str(c): float(p) for c, p in zip(logistic.classes_, row)} for row in logistic.predict_proba(x[:2])]})

    scaler, y = StandardScaler().fit(x), x @ numpy.array([1.0, -2, 0.5, 3]) + 4
    linear = LinearRegression().fit(scaler.transform(x), y)
    made("linear", [
        helper.make_node("Scaler", ["x"], ["scaled"], domain="ai.onnx.ml", offset=scaler.mean_.tolist(), scale=(1 / scaler.scale_).tolist()),
        helper.make_node("LinearRegressor", ["scaled"], ["y"], domain="ai.onnx.ml", coefficients=linear.coef_.tolist(), intercepts=[float(linear.intercept_)])],
        [tensor("x", TensorProto.FLOAT, [None, 4])], [tensor("y", TensorProto.FLOAT, [None, 1])])
    case("linear", {"x": x[:4]}, {"y": linear.predict(scaler.transform(x[:4])).reshape(-1, 1)})

    forest = RandomForestRegressor(n_estimators=3, max_depth=4, random_state=1).fit(x, y)
    parts = {k: [] for k in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")}
    leaves = {k: [] for k in ("treeids", "nodeids", "ids", "weights")}
    for number, one in enumerate(forest.estimators_):
        tree = one.tree_
        for node in range(tree.node_count):
            leaf = tree.children_left[node] < 0
            # scikit-learn compares float32 features with float64 thresholds: the float32 below decides the same.
            threshold = numpy.float32(tree.threshold[node])
            threshold = threshold if leaf or threshold <= tree.threshold[node] else numpy.nextafter(threshold, numpy.float32(-numpy.inf))
            for key, value in zip(parts, (number, node, max(0, int(tree.feature[node])), 0.0 if leaf else float(threshold), "LEAF" if leaf else "BRANCH_LEQ", max(0, int(tree.children_left[node])), max(0, int(tree.children_right[node])))):
                parts[key].append(value)
            if leaf:
                for key, value in zip(leaves, (number, node, 0, float(tree.value[node].ravel()[0]) / 3)):
                    leaves[key].append(value)
    made("forest", [helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", n_targets=1, **{f"nodes_{k}": v for k, v in parts.items()}, **{f"target_{k}": v for k, v in leaves.items()})],
         [tensor("x", TensorProto.FLOAT, [None, 4])], [tensor("y", TensorProto.FLOAT, [None, 1])])
    case("forest", {"x": x[:6]}, {"y": forest.predict(x[:6]).reshape(-1, 1)})


def by_hand():
    made("words", [
        helper.make_node("LabelEncoder", ["word"], ["number"], domain="ai.onnx.ml", keys_strings=["cat", "dög", ""], values_int64s=[1, 2, 3], default_int64=-1),
        helper.make_node("LabelEncoder", ["word"], ["plural"], domain="ai.onnx.ml", keys_strings=["cat", "dög"], values_strings=["cats", "döge"], default_string="?")],
        [tensor("word", TensorProto.STRING, [None])], [tensor("number", TensorProto.INT64, [None]), tensor("plural", TensorProto.STRING, [None])])
    case("words", {"word": ["cat", "dög", "", "cow"]}, {"number": [1, 2, 3, -1], "plural": ["cats", "döge", "?", "?"]})
    made("mixed", [
        helper.make_node("Cast", ["count"], ["real"], to=TensorProto.DOUBLE), helper.make_node("Add", ["real", "weight"], ["sum"]),
        helper.make_node("Where", ["keep", "sum", "weight"], ["chosen"]), helper.make_node("Not", ["keep"], ["dropped"]), helper.make_node("Cast", ["chosen"], ["half"], to=TensorProto.FLOAT16)],
        [tensor("count", TensorProto.INT32, ["n"]), tensor("weight", TensorProto.DOUBLE, ["n"]), tensor("keep", TensorProto.BOOL, ["n"])],
        [tensor("chosen", TensorProto.DOUBLE, ["n"]), tensor("dropped", TensorProto.BOOL, ["n"]), tensor("half", TensorProto.FLOAT16, ["n"])])
    case("mixed", {"count": [1, -2, 3], "weight": [0.1, 1e-9, 2.5], "keep": [True, False, True]}, {"chosen": [1.1, 1e-9, 5.5], "dropped": [False, True, False], "half": [float(numpy.float16(1.1)), float(numpy.float16(1e-9)), 5.5]})
    weights = numpy_helper.from_array(numpy.arange(4, dtype=numpy.float32).reshape(2, 2), "w")
    external = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2, 2], data_location=TensorProto.EXTERNAL)
    for folder, location in (("external", "weights.bin"), ("escaping", "../weights.bin")):
        del external.external_data[:]
        external.external_data.add(key="location", value=location)
        (HERE / folder).mkdir(exist_ok=True)
        graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], folder, [tensor("x", TensorProto.FLOAT, [None, 2])], [tensor("y", TensorProto.FLOAT, [None, 2])], [external])
        (HERE / folder / "model.onnx").write_bytes(helper.make_model(graph, opset_imports=ML[:1], ir_version=8).SerializeToString())
    (HERE / "external" / "weights.bin").write_bytes(weights.raw_data)
    # Counts to its input: runs as long as it is told.
    body = helper.make_graph([helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Add", ["before", "one"], ["after"])], "body",
                             [tensor("i", TensorProto.INT64, []), tensor("go", TensorProto.BOOL, []), tensor("before", TensorProto.INT64, [])],
                             [tensor("go_on", TensorProto.BOOL, []), tensor("after", TensorProto.INT64, [])])
    made("count", [helper.make_node("Squeeze", ["turns"], ["n"]), helper.make_node("Loop", ["n", "true", "zero"], ["counted"], body=body), helper.make_node("Unsqueeze", ["counted", "axis"], ["y"])],
         [tensor("turns", TensorProto.INT64, [1])], [tensor("y", TensorProto.INT64, [1])],
         [numpy_helper.from_array(numpy.array(v), n) for n, v in (("true", True), ("zero", numpy.int64(0)), ("one", numpy.int64(1)))] + [numpy_helper.from_array(numpy.array([0], dtype=numpy.int64), "axis")])
    made("custom", [helper.make_node("Teleport", ["x"], ["y"], domain="com.example")], [tensor("x", TensorProto.FLOAT, [None])], [tensor("y", TensorProto.FLOAT, [None])],
         opsets=[helper.make_opsetid("", 17), helper.make_opsetid("com.example", 1)])


if __name__ == "__main__":
    by_torch()
    by_sklearn()
    by_hand()
