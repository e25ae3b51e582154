"""The helper that adds parts up at their places: the gradient of rows of a table."""

SCATTER = '''
def scatter(x, places, shape, axis, dtype):
    """Zeros of a shape with the parts of x added at places along an axis; repeated places add up."""
    result, at = np.zeros(shape, dtype), places.ravel()
    if axis:
        np.add.at(result, (np.s_[:],) * axis + (places,), x)
        return result
    whole = (*places.shape, *shape[1:])
    rows = np.asarray(x)
    rows = rows if rows.shape == whole else np.broadcast_to(rows, whole)
    # on one axis np.add.at is several times faster, which some hundred places make up for
    if len(shape) == 2 and at.size * (12 + shape[1]) > 250 * shape[1]:
        for j in range(shape[1]):
            np.add.at(result[:, j], at, rows[..., j].ravel())
    else:  # one list of places is several times faster than an array of them
        np.add.at(result, at, rows.reshape(at.size, *shape[1:]))
    return result
'''
