"""Faults in reading, checking and dividing images."""

from planting import Fault, faults

FAULTS: tuple[Fault, ...] = (
    *faults(
        "data/division.py",
        "data/test_open.py",
        ("records = [label + digest for", "records = [digest for"),
    ),
    *faults(
        "data/division.py",
        "classifier/test_evaluate.py",
        ("fingerprint=again)", "fingerprint=dataset.fingerprint)"),
    ),
    *faults(
        "data/open.py",
        "data/test_open.py",
        (
            "checked = check_parts(listing.parts, channels, workers, memory_limit)",
            "checked = check_parts(listing.parts, channels, workers)",
        ),
    ),
    *faults(
        "data/channel_statistics.py",
        "data/test_channel_statistics.py",
        ("return _from_sums(facts.sums.sum(axis=0))", "return _from_sums(facts.sums[:8].sum(axis=0))"),
        (
            "np.linspace(0, len(images) - 1, min(sample, len(images)))",
            "np.linspace(0, min(sample, len(images)) - 1, min(sample, len(images)))",
        ),
    ),
    *faults(
        "data/facts.py",
        "data/test_facts.py",
        ("level_sums(image[::step])", "level_sums(image[: height // step])"),
        ("sums[:, 3] = image[height // 3, width // 4]", "sums[:, 3] = 0"),
        ("            self.blank[rows],", "            self.blank[: len(rows)],"),
    ),
    *faults(
        "data/dataset.py",
        "data/test_channel_statistics.py cli/test_check.py data/test_open.py data/test_survey.py",
        (
            "facts = None if self.facts is None else self.facts.take(indices)",
            "facts = None if self.facts is None else self.facts.take(np.sort(indices)[::-1])",
        ),
    ),
    *faults(
        "data/open.py",
        "data/test_folder.py data/test_table.py",
        ("skipped=listing.skipped + tuple(", "skipped=tuple("),
    ),
    *faults(
        "data/check.py",
        "data/test_check.py",
        (
            "(label, Skipped(name, look.reason))",
            "(label, Skipped(part.names[0], look.reason))",
        ),
        ("memory.images(start + rows, source)", "memory.images(rows, source)"),
        ("part.labels[rows], facts, skipped)", "part.labels[: len(rows)], facts, skipped)"),
        ("        start += len(part.items)", "        start += len(checked[name].labels)"),
        (
            "channels=np.array([look.channels for look in looks], dtype=np.int16),",
            "channels=np.array([look.shape[2] for look in looks], dtype=np.int16),",
        ),
        ("if plain > counts.total() - plain or", "if plain >= counts.total() - plain or"),
    ),
    *faults(
        "data/kept.py",
        "data/test_kept.py",
        (
            "return KeptImages([self.pictures[index] for index in indices], self.source.subset(indices))",
            "return KeptImages([self.pictures[index] for index in sorted(indices)], self.source.subset(indices))",
        ),
        (
            "self.is_open = self.is_open and self._reserved <= self.limit",
            "self.is_open = self.is_open and self._reserved < self.limit",
        ),
        ("if pixels * channels > self.limit:", "if pixels > self.limit:"),
        ("        return _itself, (self.source,)", "        return KeptImages, (self.pictures, self.source)"),
    ),
    *faults(
        "data/check.py",
        "data/test_channel_statistics.py",
        ("np.repeat(look.sums, channels, axis=0)", "np.pad(look.sums, ((0, channels - 1), (0, 0)))"),
    ),
    *faults(
        "data/duplicates.py",
        "data/test_duplicates.py",
        ("renamed[number] = first.setdefault((sketch, pixels), number)", "renamed[number] = number"),
        ("first.setdefault((sketch, pixels), number)", 'first.setdefault((sketch, b""), number)'),
        ("if len({place.label for place in places}) > 1]", "if len({place.split for place in places}) > 1]"),
    ),
    *faults(
        "data/surveying.py",
        "data/test_duplicates.py",
        ("same_pictures=find_same_pictures(splits),", "same_pictures=find_same_pictures(splits[:1]),"),
    ),
    *faults(
        "data/picture_notes.py",
        "data/test_picture_notes.py",
        (
            '"many times, perhaps in place of what was not to be had": len(places) >= MANY_TIMES,',
            '"many times, perhaps in place of what was not to be had": len(places) > MANY_TIMES,',
        ),
    ),
    *faults(
        "data/survey.py",
        "data/test_survey.py",
        ("return int(np.sort(sizes.max(axis=1))[len(sizes) // 2])", "return int(sizes.max())"),
        (
            "return self.images / 2 < self.with_commonest < self.images",
            "return self.images / 2 <= self.with_commonest < self.images",
        ),
    ),
    *faults(
        "data/surveying.py",
        "data/test_survey.py",
        ("shorter = sizes.min(axis=1)", "shorter = sizes.max(axis=1)"),
    ),
    *faults(
        "data/channel_statistics.py",
        "classifier/test_reading.py data/test_channel_statistics.py",
        ("if facts is None or facts.sums is None or not len(split):", "if True:"),
    ),
    *faults(
        "data/parquet_rows.py",
        "data/test_parquet.py",
        ("positions.get(name, -1) for name in self.names]", "positions.get(name, -1) for name in classes]"),
        ("outside = np.flatnonzero(labels >= len(names))", "outside = np.flatnonzero(labels > len(names))"),
        ("NO_LABEL = -1", "NO_LABEL = -2"),
        ("if isinstance(value, int) and value < 0:", "if isinstance(value, int) and value < -2:"),
        ("declared = () if strings else declared_names(schema, label)", "declared = ()"),
    ),
    *faults(
        "data/parquet.py",
        "data/test_parquet.py",
        ("for split in SPLITS if split in files", "for split in sorted(files)"),
        (
            "if not any(len(table.codes) for table in of_split)]",
            "if not all(len(table.codes) for table in of_split) or split == 'test']",
        ),
        ("for name in (*declared, *undeclared) if name in used)", "for name in (*declared, *undeclared))"),
        ("table.take_names(declared, lender.name)", "table.take_names(declared)"),
    ),
    *faults(
        "data/parquet_files.py",
        "data/test_parquet_files.py",
        ("return named or next(", "return next("),
        ("if len(present) < total", "if len(present) > total"),
    ),
    *faults(
        "data/listing.py",
        "data/test_listing.py data/test_parquet.py",
        ('return unicodedata.normalize("NFC", printable(name.strip()))', "return printable(name.strip())"),
    ),
    *faults(
        "data/listing.py",
        "data/test_listing.py",
        (
            "labels=in_places(part.labels, positions, len(classes)))",
            "labels=part.labels)",
        ),
    ),
    *faults(
        "data/split_names.py",
        "data/test_split_names.py",
        ('    "dev": "val",', '    "dev": "test",'),
        ("return None if rest else split", "return split"),
    ),
    *faults(
        "data/walk.py",
        "data/test_walk.py data/test_folder.py",
        ("            elif _is_folder(entry):\n", "            elif _is_folder(entry) and not entry.is_symlink():\n"),
    ),
    *faults(
        "data/walk.py",
        "data/test_walk.py",
        ("            self.visited.add((status.st_dev, status.st_ino))\n", ""),
        ("name.casefold() in _SYSTEM", "name in _SYSTEM"),
        ("    suffix = path.suffix.lower()\n", "    suffix = path.suffix\n"),
    ),
    *faults(
        "data/layout.py",
        "data/test_layout.py",
        ("return {split: _unwrapped(found[split]) for", "return {split: found[split] for"),
        ("_demand_images_in(root, folders, always=False)", "_demand_images_in(root, folders, always=True)"),
    ),
    *faults(
        "data/folder.py",
        "data/test_folder.py",
        ("walk.notes() + notes + tuple(", "notes + tuple("),
    ),
    *faults(
        "data/folder.py",
        "classifier/test_evaluate.py",
        ("divided=splits is not None", "divided=True"),
    ),
    *faults(
        "data/open.py",
        "data/test_folder.py",
        ('empty = np.flatnonzero(counts["train"] == 0)', "empty = np.flatnonzero(sum(counts.values()) == 0)"),
    ),
    *faults(
        "data/open.py",
        "classifier/test_evaluate.py",
        ("        divided=listing.divided,\n", ""),
    ),
    *faults(
        "data/open.py",
        "data/test_parquet_files.py",
        (
            "list_parquet(files.splits, notes=files.notes, divided=files.divided, asked=asked)",
            "list_parquet(files.splits, divided=files.divided, asked=asked)",
        ),
    ),
    *faults(
        "data/table_splits.py",
        "data/test_table_splits.py",
        ('    "isvalid": "val",', '    "isvalid": "test",'),
        ('else "val" if "test" in flags else "test"', 'else "test" if "test" in flags else "val"'),
    ),
    *faults(
        "data/table.py",
        "data/test_table_splits.py",
        ('self.choose(row) if self.choose else "train"', '"train"'),
    ),
    *faults(
        "data/table.py",
        "data/test_table.py",
        ('content.decode("utf-16" if sixteen else "utf-8-sig")', 'content.decode("utf-16" if sixteen else "utf-8")'),
    ),
    *faults(
        "data/idx.py",
        "data/test_idx.py",
        ("np.searchsorted(numbers, labels)", "labels"),
        ("labels.max() >= len(classes)", "labels.max() > len(classes)"),
    ),
    *faults(
        "data/decode.py",
        "data/test_jpeg.py",
        ("        _judge(data, pixels.format, said)\n", "        pass\n"),
    ),
    *faults(
        "data/jpeg.py",
        "data/test_jpeg.py",
        ("if count <= _FEW or len(set(", "if True or len(set("),
        ("exif or xmp or 1", "1"),
        ("strange = _STRANGE.search(data, header.scan, end)", "strange = None"),
        ("header.zeros_are_damage and data.find", "False and data.find"),
    ),
    *faults(
        "data/listen.py",
        "data/test_jpeg.py",
        ("return result, _ear.text()", 'return result, ""'),
        ("        self.variable.value = self.usual\n", "        pass\n"),
    ),
    *faults(
        "data/tiff_samples.py",
        "data/test_tiff.py",
        ("[255 - values[..., :1], values[..., 1:]]", "[values[..., :1], values[..., 1:]]"),
        ("            if page.alpha == 1:\n", "            if page.alpha == 2:\n"),
    ),
    *faults(
        "data/tiff_samples.py",
        "data/test_tiff_samples.py",
        ("if len(page.offsets) > wanted or", "if"),
        ("page.compression == 1 and 0 < sum(page.counts) <", "page.compression == 1 and sum(page.counts) <"),
    ),
    *faults(
        "data/tiff_tags.py",
        "data/test_tiff_tags.py",
        ("tag in tags or values is None", "values is None"),
        ("or kind not in _USUAL)", ")"),
        ("if length == 0 or where +", "if where +"),
        ("[BITS] if several or COLOURS in tags else []", "[BITS] if several else []"),
    ),
    *faults(
        "data/tiff.py",
        "data/test_tiff.py",
        ("extra += [0] * (missing - len(extra))", "extra += [2] * (missing - len(extra))"),
        ("if compression in _PREDICTED else 1", "if compression else 1"),
        ('order = "<" if data[:2] == b"II" else ">"', 'order = "<" if data[:2] != b"MM" else "<"'),
    ),
    *faults(
        "data/decode.py",
        "data/test_tiff.py",
        ("pages=len(pages) > 1)", "pages=False)"),
    ),
    *faults(
        "data/png.py",
        "data/test_png.py",
        ("value & most for value", "value for value"),
        ("        matches &= _matches(_low_bytes(data)", "        _matches(_low_bytes(data)"),
    ),
    *faults(
        "data/pixels.py",
        "data/test_png.py",
        ("        data = png.without_metadata(data)\n", "        pass\n"),
    ),
    *faults(
        "data/npy.py",
        "data/test_npy.py",
        ("if first in (1, 3, 4):", "if first in (1, 4):"),
        ("channels != shape[2] and _channels", "_channels"),
    ),
    *faults(
        "data/unreadable.py",
        "data/test_unreadable.py",
        ("width * height * bytes_per_pixel + file_bytes", "width * height * bytes_per_pixel"),
        ("max(width, height) > MAX_ASPECT * min", "width > MAX_ASPECT * min"),
    ),
    *faults(
        "data/preprocessing.py",
        "data/test_preprocessing.py",
        ("return resize_image(image, height, width, self.interpolation)", "return resize_image(image, height, width)"),
        ("(top, left, height, width), self.interpolation)", "(top, left, height, width))"),
        ("left * across - first_column,", "left * across,"),
    ),
    *faults(
        "data/orientation.py",
        "data/test_pillow_images.py",
        ("return int(number) if number in range(1, 9) else 1", "return int(number)"),
    ),
    *faults(
        "data/decode.py",
        "data/test_pillow_images.py",
        ("or image.format is None or image.tell()", "or image.format is None"),
    ),
    *faults(
        "data/pixels.py",
        "data/test_pillow_images.py",
        ('_SIXTEEN_BITS = ("PNG", "PPM", "JPEG2000")', '_SIXTEEN_BITS = ("PNG", "JPEG2000")'),
    ),
    *faults(
        "data/png.py",
        "data/test_png.py",
        ("if found < header.inflated_bytes:", "if found < 0:"),
        ("bits = self.bit_depth * _SAMPLES[self.colour_type]", "bits = 8 * _SAMPLES[self.colour_type]"),
    ),
    *faults(
        "data/pixels.py",
        "data/test_pixels.py",
        ('_DECODERS = {"WEBP": 17.5,', '_DECODERS = {"WEBP": 7.5,'),
        ("top + rows, height)))", "top + rows, height - 1)))"),
    ),
    *faults(
        "data/kept.py",
        "data/test_kept.py",
        ("MEMORY_LIMIT = 1 << 30", "MEMORY_LIMIT = 1 << 33"),
    ),
    *faults(
        "data/check.py",
        "data/test_check.py",
        ("            memory.forget(row)\n", ""),
    ),
    *faults(
        "data/table_splits.py",
        "data/test_table_splits.py",
        ("if name not in {*used, *folds}]", "if False]"),
    ),
    *faults(
        "data/workers.py",
        "data/test_workers.py",
        ("                cv2.setNumThreads(self.before)", "                self.before"),
        (
            "            self.count -= 1\n            if not self.count:",
            "            self.count -= 1\n            if True:",
        ),
        ("    os.register_at_fork(after_in_child=_blocks.restart_in_child)", "    pass"),
    ),
    *faults(
        "data/given_images.py",
        "data/test_given_images.py",
        ("        self.notes += walk.notes()\n", "        self.notes = [*walk.notes()]\n"),
    ),
    *faults(
        "classifier/prediction.py",
        "classifier/test_prediction.py",
        ('np.argsort(-answer, kind="stable")', 'np.argsort(answer, kind="stable")[::-1]'),
    ),
    *faults(
        "data/heif_boxes.py",
        "data/test_heif_boxes.py",
        ("            if number == item:", "            if number:"),
        ('(kind == b"irot" and data[start] & 3)', '(kind == b"irot")'),
        ("return main in HEVC_BRANDS or (main in CONTAINER_BRANDS and", "return main in HEVC_BRANDS or ("),
    ),
    *faults(
        "data/heif.py",
        "data/test_heif.py",
        ("picture = file[file.primary_index]", "picture = file[0]"),
        ("to_eight_bits(stored[top : top + rows], depth)", "to_eight_bits(stored[top : top + rows], 16)"),
        ("several=len(file) > 1", "several=False"),
        ("        colour = undo_alpha(colour, alpha)", "        pass"),
    ),
    *faults(
        "data/not_read.py",
        "data/test_not_read.py data/test_walk.py",
        ("    if extension in heif.EXTENSIONS and heif.is_installed():", "    if extension in heif.EXTENSIONS:"),
    ),
)
