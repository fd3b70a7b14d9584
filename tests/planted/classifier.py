"""Faults in runs, predictions and the files they write."""

from planting import Fault, faults

FAULTS: tuple[Fault, ...] = (
    *faults(
        "classifier/classifier.py",
        "classifier/test_evaluate.py",
        ("shown(done, count)", "shown(count, done)"),
        ("count = len(source)", "count = len(batches.split) + 1"),
    ),
    *faults(
        "classifier/execution.py",
        "classifier/test_execution.py",
        ("evaluate(dataset, shown=shown)", "evaluate(dataset)"),
    ),
    *faults(
        "classifier/choices.py",
        "classifier/test_plan.py",
        (
            'return Preprocessing((size, size), dataset.channels, mean, std, "crop", crop, way)',
            'return Preprocessing((size, size), dataset.channels, mean, std, "crop", crop)',
        ),
        ("return typical_side(facts.sizes)", "return int(facts.sizes.max())"),
        ("is_small = isinstance(images, KeptImages) and side is not None", "is_small = side is not None"),
    ),
    *faults(
        "classifier/reporting.py",
        "classifier/test_reading.py",
        ("images=KeptImages([picture] * VERSIONS, alike.images)", "images=alike.images"),
        ("for places in contradictions(same_pictures(dataset))", "for places in contradictions(())"),
    ),
    *faults(
        "files/writing.py",
        "files/test_writing.py",
        ("            os.fsync(file.fileno())", "            file.fileno()"),
        ("            file.flush()", "            file.tell"),
        ("    _flush_folder(path.parent)", "    path.parent"),
        ('open(temporary, "xb")', 'open(temporary, "wb")'),
        ("    for pause in PATIENCE:", "    for pause in ():"),
        ("for row in rows for name in row))", "for row in rows[:1] for name in row))"),
        ('content.encode("utf-8", "surrogateescape")', 'content.encode("utf-8", "replace")'),
    ),
    *faults(
        "files/paths.py",
        "files/test_paths.py",
        ('.rstrip(". ")', '.rstrip(".")'),
    ),
    *faults(
        "files/fetching.py",
        "files/test_fetching.py",
        ("    if not checksum.fits(digest.hexdigest()):", "    if not digest.hexdigest():"),
        ("        except _NotDelivered as error:", "        except (_NotDelivered, OSError) as error:"),
        ("timeout=timeout) as answer", "timeout=60) as answer"),
    ),
    *faults(
        "files/cache.py",
        "files/test_cache.py",
        ("        return at_home(folder)", "        return Path(folder)"),
    ),
    *faults(
        "files/writing.py",
        "files/test_writing.py training/test_run_folder.py",
        ("    except PermissionError:  # Windows opens no folders", "    except FileNotFoundError:"),
    ),
    *faults(
        "strict_json.py",
        "test_strict_json.py",
        ("not math.isfinite(value)", "math.isnan(value)"),
    ),
    *faults(
        "classifier/runs.py",
        "classifier/test_resume.py",
        ("        refuse_without_checkpoint(folder, config)", "        pass"),
        ("folder.update_config(**place)", "pass"),
        ("if dataset.fingerprint == config.fingerprint:", "if dataset.fingerprint:"),
    ),
    *faults(
        "classifier/request.py",
        "classifier/test_request.py",
        ("recipe = check_recipe(self.recipe, self.settings)", "recipe = self.recipe or Recipe()"),
    ),
    *faults(
        "classifier/resumable.py",
        "classifier/test_resume.py",
        ("if run.checkpoint.exists() or not run.has_results:", "if run.checkpoint.exists():"),
    ),
    *faults(
        "classifier/execution.py",
        "classifier/test_resume.py",
        ("training.position.best = None", "pass"),
        ("    if watch.drop_checkpoint and", "    if not watch.drop_checkpoint and"),
    ),
    *faults(
        "classifier/places.py",
        "cli/test_run_state.py",
        ("for place in (absolute, source):", "for place in (source,):"),
    ),
    *faults(
        "classifier/execution.py",
        "classifier/test_wiring.py",
        ("final_images=len(dataset.test or dataset.val or", "final_images=len(dataset.val or"),
        ("        identity=config.identity,", ""),
    ),
    *faults(
        "classifier/request.py",
        "classifier/test_request.py",
        ("model=recipe.network or None if", "model=None if"),
    ),
    *faults(
        "classifier/values.py",
        "classifier/test_request.py",
        ("or not 0 <= float(value) < 1:", "or not 0 <= float(value) <= 1:"),
        ('"m": 60,', '"m": 3600,'),
    ),
    *faults(
        "classifier/request.py",
        "classifier/test_request.py",
        ("            network.freeze(freeze)", "            network.parts()"),
    ),
    *faults(
        "classifier/plan.py",
        "classifier/test_request.py",
        ("if network.frozen and not weights:", "if network.frozen and weights:"),
        ("if recipe.learning_rate == 0:", "if recipe.learning_rate < 0:"),
    ),
    *faults(
        "classifier/reporting.py",
        "classifier/test_reporting.py",
        ("float(chances[true]),", "float(chances[predicted] / 2),"),
        ("costs_of(trained, classifier", "costs_of(classifier.model, classifier"),
        ("getattr(dataset, evaluation.split).images", "dataset.train.images"),
    ),
    *faults(
        "classifier/run_facts.py",
        "classifier/test_reporting.py",
        ("for epochs in asked]", "for epochs in asked[:1]]"),
    ),
    *faults(
        "classifier/classifier.py",
        "classifier/test_evaluate.py",
        ("dataset.test or dataset.val or dataset.train", "dataset.val or dataset.test or dataset.train"),
        ("dataset.test or dataset.val or dataset.train", "dataset.test or dataset.train"),
        ("if self._is_of_training(source):", "if False:"),
        ("positions[chosen.labels])", "chosen.labels)"),
    ),
    *faults(
        "classifier/classifier.py",
        "classifier/test_predict.py cli/test_predict.py",
        ("predictions.notes = tuple(given.notes)", "predictions.notes = ()"),
    ),
    *faults(
        "classifier/classifier.py",
        "cli/test_evaluate.py",
        ("return replace(evaluation, notes=notes)", "return evaluation"),
    ),
    *faults(
        "classifier/resumable.py",
        "classifier/test_resume.py",
        ("!= config.identity:", "== 0:"),
    ),
    *faults(
        "classifier/run_config.py",
        "classifier/test_resume.py",
        ('"fingerprint", "seed", "freeze")', '"fingerprint", "seed")'),
    ),
    *faults(
        "classifier/run_config.py",
        "classifier/test_run_config.py",
        ('{"identity": identity(written)}', "{}"),
        ("if not self.checkpoint:", "if self.checkpoint:"),
    ),
    *faults(
        "classifier/run_config.py",
        "classifier/test_training_end_to_end.py",
        ('"fingerprint", "seed", "freeze")', '"fingerprint", "freeze")'),
    ),
    *faults(
        "classifier/classifier.py",
        "cli/test_damaged_files.py",
        (
            'raise UnreadableImage("does not fit in memory", source.name)',
            'raise UnreadableImage("does not fit in memory")',
        ),
    ),
)
