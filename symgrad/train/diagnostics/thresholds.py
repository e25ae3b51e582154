"""The numbers from which on something is said, each with its reason.

Those of healthy networks were measured on the digits (1,400 rows, two and six hidden layers, ReLU,
tanh, GELU and sigmoid, with and without batch normalisation, initialised by He's or Glorot's rule,
15 to 60 epochs); the thresholds keep away from them.

Runs that no threshold was chosen by: 90 healthy trainings (digits raw and standardised, iris, wine,
breast cancer; three seeds; six networks, 20 epochs) gave 4 findings, two of overfitting by little
more than RISEN and two of zigzag, of batch normalisation on 133 rows in batches of 32; of 90 with
one of six planted faults, all were found.
"""

from symgrad.diagram.layers.card import ALARM

# Share of saturated values, and of dead units, of a layer: where its card turns orange. Healthy
# networks had up to 5% of values saturated and 14% of units dead.
SATURATED = DEAD = ALARM
BLOCKED = 0.9  # share of dead units at which next to nothing passes through a layer
SAMPLES = 30  # fewer say little about what holds on all samples

# From the last layer to the first, the gradient of the weights has shrunk to this share, and on
# average by more than half a layer. Healthy: never below a half.
VANISHED, PER_LAYER = 1e-2, 0.5
# The deviation of what enters the activations has grown, or shrunk, by so much from the first layer
# to the last, and by a factor of two a layer. Healthy: a factor of 7 after training, 2 before.
GROWN = 20.0
STEPS = 2  # layers to be passed before a trend is one
RUNAWAY = 100.0  # growth of the norm of weights during a training; healthy: below 5

# Update-to-weight ratio of one step: 1e-3 is the usual rule of thumb; healthy: 6e-4 … 1.4e-2.
# Above, a step rewrites the weights; below, ten thousand steps move them by a tenth.
UPDATE_HIGH, UPDATE_USUAL, UPDATE_LOW = 0.1, 1e-3, 1e-5
OVERWRITTEN = 1.0  # a single step as long as the weights themselves

LOCKED = 0.9  # share of units whose gradients have one sign; healthy: up to 0.4 in hidden layers
TWINS = 0.5  # share of units that equal another; chance makes none

# Overfitting: the validation loss has risen by a tenth above its best while the training loss fell
# by a tenth; both at the end of epochs, over three of which the mean is taken.
RISEN, FALLEN, LAST = 1.1, 0.9, 3
EPOCHS = 5  # fewer are no trend
STUCK = 0.9  # of the first epoch's loss is left: hardly anything was learned
# Slow: the second half of a training still gained as much as the first, and much is left.
LINEAR, LEFT = 0.8, 0.3
# Zigzag: rises make up so much of all changes from epoch to epoch, and are on average so large a
# share of the first loss. Noise of mini-batches at the end of a training stays far below.
RISES, AMPLITUDE = 0.25, 0.03
WANDERED = 2.0  # percentiles moved by so many times their first distance
