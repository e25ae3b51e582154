"""The helper that adds parts up at their places: the gradient of rows of a table."""

SCATTER = '''
def scatter(x, places, shape, axis, dtype):
    """Zeros of a shape with the parts of x added at places along an axis; repeated places add up."""
    result, at = np.zeros(shape, dtype), places.ravel()
    more = 0 if axis or shape[2:] else at[shape[-1]:].size  # rows of a table than columns
    if shape[1:] and more:  # on one axis np.add.at is several times faster
        rows = np.broadcast_to(x, (*places.shape, shape[1]))
        for j in range(shape[1]):
            np.add.at(result[:, j], at, rows[..., j].ravel())
    elif axis:
        np.add.at(result, (np.s_[:],) * axis + (places,), x)
    else:  # one list of places is several times faster than an array of them
        rows = np.broadcast_to(x, (*places.shape, *shape[1:]))
        np.add.at(result, at, rows.reshape(at.size, *shape[1:]))
    return result
'''
