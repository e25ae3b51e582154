"""What people type who come from NumPy, PyTorch, LaTeX or the blackboard.

It is read, or the hint says what to type: the text in the second column, which is read.
"""

import pytest

import symgrad as sg

DECLARED = """x: real[N]
w: param[D]
X: data[N, D]
y: real[N]
A: real[D, D]
b: param
s: real[N, C]
t: labels[N, C]
"""
READ = [
    "w.T @ A @ w", "x[:-1] @ x[1:]", "sum(x[i]*x[i+1] for i in range(N-1))", "pow(b, 2)",
    "sum(x);", "sum(x)  # the sum", "sum(w[k]*w[k] for k in range(D))",
    "v[i] = sum(w[k]*x[i+k] for k in range(D))", "v[i] = sum(w[k]*x[i*2+k] for k in D)",
    "v[i] = sum(w[k]*x[i-k] for k in range(D) if i-k >= 0)", "mean((X @ w - y)**2)",
    "v[t] = sum(x[s] for s in range(t+1))", "cross_entropy(s, t)", "norm(w)**2",
]  # fmt: skip
HINTED = [
    # one part: the part is said
    ("loss = np.mean((X @ w - y)**2)", "mean((X @ w - y)**2)"),
    ("loss = np.dot(w, w)", "dot(w, w)"),
    ("loss = Σ(x)", "sum(x)"),
    ("loss = ∏(x)", "prod(x)"),
    ("loss = F.cross_entropy(s, t)", "cross_entropy(s, t)"),
    ("loss = torch.nn.functional.mse_loss(X @ w, y)", "mse_loss(X @ w, y)"),
    ("loss = nn.CrossEntropyLoss()(s, t)", "cross_entropy(s, t)"),
    ("loss = nn.MSELoss(reduction='sum')(X @ w, y)", "mse(X @ w, y, reduction='sum')"),
    ("loss = torch.nn.BCEWithLogitsLoss()(X @ w, y)", "bce_with_logits(X @ w, y)"),
    ("loss = nn.ReLU()(x)", "relu(x)"),
    ("loss = b // 2", "floor(b/2)"), ("loss = b % 2", "b - 2*floor(b/2)"),
    ("loss = not b", "1 - b"), ("loss = tr(A)", "trace(A)"), ("loss = ln(x)", "log(x)"),
    ("loss = x if b > 0 else y", "where(b > 0, x, y)"),
    # several parts: the whole line is said
    ("loss = np.sum(np.square(X.dot(w) - y))", "loss = sum(square(dot(X, w) - y))"),
    ("loss = np.log(np.exp(s).sum(axis=1)).mean()", "loss = mean(log(sum(exp(s), axis=1)))"),
    ("loss = s[np.arange(N), t].sum()", "loss = sum(s[arange(N), t])"),
    ("loss = s[range(N), t].sum()", "loss = sum(s[arange(N), t])"),
    ("loss = np.where(x > 0, x, 0.1*x).sum()", "loss = sum(where(x > 0, x, 0.1*x))"),
    ("loss = np.linalg.inv(A).sum()", "loss = sum(inv(A))"),
    ("loss = np.power(x, 2).sum()", "loss = sum(x**2)"),
    ("loss = np.convolve(x, w, 'same').sum()", "loss = sum(convolve(x, w, 'same'))"),
    ("loss = np.sum(np.diff(x)**2)", "loss = sum((x[1:] - x[:-1])**2)"),
    ("loss = np.sum(np.roll(x, 1)*x)", "loss = sum(concatenate((x[-1:], x[:-1]))*x)"),
    ("loss = (x - x.mean()).std()", "loss = std(x - mean(x))"),
    ("loss = np.outer(w, w).sum()", "loss = sum(outer(w, w))"),
    ("loss = torch.sigmoid(X @ w).mean()", "loss = mean(sigmoid(X @ w))"),
    ("loss = torch.logsumexp(s, dim=1).mean()", "loss = mean(logsumexp(s, axis=1))"),
    ("loss = F.softmax(s, dim=-1).sum()", "loss = sum(softmax(s, axis=-1))"),
    ("loss = -F.log_softmax(s, dim=1)[range(N), t].mean()",
     "loss = -mean(log_softmax(s, axis=1)[arange(N), t])"),
    ("loss = torch.clamp(x, min=0).sum()", "loss = sum(max(x, 0))"),
    ("loss = torch.matmul(X, w).sum()", "loss = sum(matmul(X, w))"),
    ("loss = X.mm(A).sum()", "loss = sum(X @ A)"),
    ("loss = x.detach().sum()", "loss = sum(x)"),
    ("loss = F.conv1d(x, w).sum()", "loss = sum(correlate(x, w))"),
    ("loss = sum(x)/len(x)", "loss = sum(x)/N"), ("loss = sum(x)/x.size", "loss = sum(x)/N"),
    ("loss = x.sum()/X.shape[0]", "loss = sum(x)/N"),
    ("loss = sum(x[i]**2 for i in range(len(x)))", "loss = sum(x[i]**2 for i in range(N))"),
    ("np.log(np.exp(x)).sum()", "sum(log(exp(x)))"),
    # loops and lists
    ("for i in range(N):\n    loss += x[i]**2", "loss = sum(x[i]**2 for i in range(N))"),
    ("for i in range(N):\n    for j in range(D):\n        r += X[i, j]*w[j]",
     "r = sum(X[i, j]*w[j] for i in range(N) for j in range(D))"),
    ("for i in range(N):\n    v[i] = x[i]**2", "v[i] = x[i]**2"),
    ("loss = sum([x[i]**2 for i in range(N)])", "sum(x[i]**2 for i in range(N))"),
    ("v = [x[i]**2 for i in range(N)]", "y[i] = x[i]**2"),
    # the blackboard
    (r"loss = \sum_i (x_i - y_i)^2", "sum((x[i] - y[i])**2 for i in N)"),
    ("loss = sum_{i=1}^N x_i^2", "sum(x[i]**2 for i in N)"),
    ("loss = sum_k w_k w_k", "sum(w[k]*w[k] for k in D)"),
    ("v[i] = sum_k w[k]*x[i+k]", "sum(w[k]*x[i+k] for k in D)"),
    (r"loss = \sum_{i} \sum_{j} A_{ij} w_i w_j", "sum(A[i, j]*w[i]*w[j] for i in D for j in D)"),
    ("loss = sum_{ij} A_{ij} w_i w_j", "sum(A[i, j]*w[i]*w[j] for i in D for j in D)"),
    ("loss = sum(v**2 for v in x)", "for i in N,  and x[i] for v"),
    ("loss = tf.reduce_mean(tf.square(X @ w - y))", "loss = mean(square(X @ w - y))"),
    ("loss = s.max(1).sum()", "loss = sum(max(s, axis=1))"),
    ("loss = max_j s_ij", "max(s[i, j] for j in C)"),
    ("loss = ||w||", "norm(w)"), ("loss = |x|", "abs(x)"), ("loss = w^T A w", "w.T @ A"),
    ("loss = 2x", "2*x"), ("loss = e^x", "exp(x)"),
]  # fmt: skip


@pytest.mark.parametrize("typed", READ)
def test_what_is_read(typed: str) -> None:
    sg.parse(DECLARED + typed)


@pytest.mark.parametrize(("typed", "instead"), HINTED)
def test_the_hint_leads_on(typed: str, instead: str) -> None:
    with pytest.raises(sg.ParseError) as caught:
        sg.parse(DECLARED + typed)
    assert instead in caught.value.hint
    line = instead if " and " not in instead else "sum(x[i]**2 for i in N)"
    if "[i" in line and " for i " not in line and " = " not in line:
        line = f"v[i] = {line}"
    sg.parse(
        DECLARED.replace("y: real[N]\n", "" if line.startswith("y[i]") else "y: real[N]\n") + line
    )


REFUSED = [
    ("v[i] = sum(w[k]*x[(i+k) % N] for k in D)", "concatenate((x, x))"),
    ("v[k] = v[k-1]*b + x[k]", "each step as a line of its own"),
    ("N = X.shape[0]", "leave the line out"),
]


@pytest.mark.parametrize(("typed", "hint"), REFUSED)
def test_what_there_is_no_text_for(typed: str, hint: str) -> None:
    with pytest.raises(sg.ParseError) as caught:
        sg.parse(DECLARED + typed)
    assert hint in caught.value.hint


def test_a_range_as_on_the_blackboard() -> None:
    with pytest.raises(sg.ParseError, match=r"for i in range\(1, N\)"):
        sg.parse("x: real[N]; L = sum(x[i] for i = 1 to N)")
