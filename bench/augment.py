"""How quickly photographs are augmented on one core: resized crop, flip, rotation, shear and colours, 256 to 224.

    STRIATE_PEERS=PYTHON python bench/augment.py [--rounds 5]

Images per second of processor time, of flowers that lie decoded in memory as 256 x 256 bytes, in batches of 32. Peers
are torchvision's v2 transforms, and Albumentations and Kornia where `STRIATE_PEERS` has them; all draw from the same
ranges. Then what parts of a policy cost here, and six geometric transforms against one.
"""

from __future__ import annotations

from common import BENCH, Peers, Report, arguments, child, data, each, median, ratios

MAIN = "striate"
PARTS = ("a warp", "a warp of six transforms", "crop and flip")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    report = Report("Augmentation on one core", options, "torchvision", "opencv-python-headless")
    peers, words = Peers(), (data("flowers.tar"), options.rounds)
    found = peers.versions("albumentations", "kornia")
    if found:
        report.line(f"- Peers: {', '.join(f'{name} {version}' for name, version in found.items())}")
    report.line(f"- Runs: {options.rounds} of each, alternating, one thread; images per second of processor time")
    script, alone = BENCH / "augmenting.py", {"OMP_NUM_THREADS": "1"}
    speeds = (peers.child(script, *words, **alone) if found else child(script, *words, **alone))["speeds"]
    whole = {name: values for name, values in speeds.items() if name not in PARTS}
    report.table(
        ["crop, flip, rotation, shear, colours", "images/s", "each", "striate is"],
        [
            [name, f"{median(values):,.0f}", each(values, ".0f"), f"{median(ratios(speeds[MAIN], values)):.2f} x"]
            for name, values in whole.items()
        ],
    )
    report.table(
        ["parts of it, in striate", "images/s", "each", "against a warp"],
        [
            [
                name,
                f"{median(speeds[name]):,.0f}",
                each(speeds[name], ".0f"),
                f"{median(ratios(speeds[name], speeds[PARTS[0]])):.2f} x",
            ]
            for name in PARTS
        ],
    )
    report.close()


if __name__ == "__main__":
    main()
