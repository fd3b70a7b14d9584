"""Faults in augmentation and in the sheets that show it."""

from planting import Fault, faults

FAULTS: tuple[Fault, ...] = (
    *faults(
        "augment/resizing.py",
        "augment/test_resizing.py",
        ("range(0, channels, _AT_ONCE)", "range(0, _AT_ONCE, _AT_ONCE)"),
        ("cv2.INTER_AREA", "cv2.INTER_LINEAR"),
    ),
    *faults(
        "augment/draws.py",
        "augment/test_draws.py",
        ("self._repeats[row], self._images[row], self._epoch]", "0, self._images[row], self._epoch]"),
        ("self._images[row], self._epoch]", "self._images[row], 0]"),
        ("ranks[:, place] < count", "ranks[:, place] <= count"),
        ("self._source(_PIXELS + _COLUMN[transform], row)", "self._source(_PIXELS, row)"),
    ),
    *faults(
        "augment/geometry.py",
        "augment/test_geometry.py",
        ("matrices[:, 0, 1] = cosine, -sine", "matrices[:, 0, 1] = cosine, sine"),
        ("scale = np.maximum(heights / out_height, widths / out_width)", "scale = np.minimum(heights / 1, widths / 1)"),
        ("whole[:, axis, 2] = np.where(way > 0, low, low + span)", "whole[:, axis, 2] = low"),
    ),
    *faults(
        "augment/sampling.py",
        "augment/test_sampling.py",
        ("base @ geometry.translation(across * width, down * height)", "base @ geometry.translation(across, down)"),
        ("colour.contrast(factor, colour.grey_level(matrices, means))", "colour.contrast(factor, means[:, 0])"),
        ("(1 / policy.ratio, policy.ratio)", "(1, policy.ratio)"),
    ),
    *faults(
        "augment/warping.py",
        "augment/test_warping.py",
        ("matrix[:, 2] - offsets]", "matrix[:, 2]]"),
        ("+= 0.5 * (matrix[:, 0] + matrix[:, 1]) - 0.5", "+= 0.5 * (matrix[:, 0] + matrix[:, 1])"),
        ("if shrink.max() < 2:", "if shrink.max() < 99:"),
        ("mirrored = box[:, 0] > box[:, 1]", "mirrored = box[:, 0] > box[:, 0]"),
    ),
    *faults(
        "augment/fourth.py",
        "augment/test_fourth.py",
        ("cv2.COLOR_RGBA2RGB", "cv2.COLOR_RGBA2BGR"),
        ("if self._in.size < values:", "if not self._in.size:"),
    ),
    *faults(
        "augment/colour.py",
        "augment/test_colour.py",
        ("((1 - factor) * grey)[:, None]", "(factor * grey)[:, None]"),
        ("return shifted @ LUMA", "return shifted.mean(axis=1)"),
        ("directions * np.sqrt(np.maximum(variances, 0))", "directions.T * np.sqrt(np.maximum(variances, 0))"),
    ),
    *faults(
        "augment/mixing.py",
        "augment/test_mixing.py",
        ("partner, 1 - kept[row], 0.0", "partner, kept[row], 0.0"),
        ("kept[row] = 1 - (right - left) * (bottom - top)", "kept[row] = (right - left) * (bottom - top)"),
        ("side = np.sqrt(1 - kept)", "side = 1 - kept"),
    ),
    *faults(
        "augment/pixels.py",
        "augment/test_pixels.py",
        ("across = min(width, max(1, round(math.sqrt(pixels * aspect))))", "across = min(width, 1)"),
        ("_NORMAL /= _NORMAL.std()", "_NORMAL /= 2"),
    ),
    *faults(
        "augment/policy.py",
        "augment/test_policy.py",
        ('replace(self, border="zero") if resize == "letterbox" else self', "self"),
    ),
    *faults(
        "report/policy_sheet.py",
        "report/test_policy_sheet.py",
        ("seed + number)[0])", "seed)[0])"),
        ("if name in MIXING and len(pictures) < 2:", "if name in MIXING:"),
    ),
    *faults(
        "report/input_sheet.py",
        "report/test_input_sheet.py",
        ("replace(look, resize=rule)(given)", "look(given)"),
        ("cv2.INTER_NEAREST if scale > 1", "cv2.INTER_LINEAR if scale > 1"),
        ("corners[:2] * shown.shape[0] / picture.shape[0]", "corners[:2]"),
    ),
    *faults(
        "report/contact_sheet.py",
        "report/test_contact_sheet.py",
        ("place = GAP + column * across, GAP + number * down", "place = column * across, number * down"),
    ),
    *faults(
        "training/label_changes.py",
        "training/test_label_changes.py",
        ("with_strengths(**{name: getattr(policy, name)})", "with_strengths(**{name: 0})"),
        ("arange(len(labels)) % 2 == half", "arange(len(labels)) % 1 == 0"),
        ("or len(split) < LEAST", "or len(split) <= LEAST"),
        ("WORSE * (~named).sum()", "99 * (~named).sum()"),
    ),
    *faults(
        "classifier/execution.py",
        "cli/test_train_wiring.py",
        ("if fresh and fabric.is_global_zero:", "if fabric.is_global_zero:"),
        ("        training.position.notes.append(str(change))\n", ""),
    ),
)
