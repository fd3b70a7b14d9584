"""The codes of RBF units, written out; what is computed with them is in test_lenet_layers."""

import torch

from striate.layers.rbf import RBFLoss, RBFOutput, codes, digit_bitmaps


def test_a_bitmap_is_read_row_by_row():
    """A seven: a bar on top, a stem that moves to the left, ink +1 and paper -1."""
    drawn = """
    -------
    #######
    #----##
    -----#-
    -----#-
    ----#--
    ----#--
    ---#---
    ---#---
    --#----
    --#----
    -------
    """
    rows = drawn.split()
    seven = digit_bitmaps()[7].view(12, 7)
    assert ["".join("#" if pixel > 0 else "-" for pixel in row) for row in seven] == rows
    assert digit_bitmaps().abs().eq(1).all()


def test_codes_of_few_classes_are_rows_of_the_matrix():
    """The first row of Paley's matrix is all ones; the next begins with -1 and says which numbers are squares."""
    first, second = codes(2)
    assert first.eq(1).all()
    squares = {n * n % 83 for n in range(1, 83)}
    assert second.tolist() == [-1, 1, *(1 if -j % 83 in squares else -1 for j in range(1, 83))]
    assert torch.equal(codes(168)[84:], -codes(84))


def test_codes_beyond_the_matrix_are_of_one_seed_whatever_else_was_drawn():
    """Drawn once and written down: the first twelve numbers of the 169th code."""
    torch.manual_seed(5)
    code = codes(169)[168]
    assert code[:12].tolist() == [-1, 1, 1, -1, 1, -1, -1, -1, 1, 1, 1, -1]
    torch.manual_seed(6)
    assert torch.equal(codes(169)[168], code)


def test_a_code_of_rubbish_lies_at_the_distance_of_zeros_unless_told():
    """An F6 of zeros is 84 from every code: with K codes and the rubbish as far, a share of 1 / (K + 1) each."""
    logits = RBFOutput(4)(torch.zeros(1, 84))
    assert logits.tolist() == [[-84.0] * 4]
    loss = RBFLoss()(logits, torch.tensor([2]))
    torch.testing.assert_close(loss, torch.tensor(5.0).log())
