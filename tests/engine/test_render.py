"""Code in, video or error out: loading, precedence, limits, diagnosis."""

from __future__ import annotations

from pathlib import Path

from tests.engine.in_child import in_child


def test_names_resolve_after_the_modules_own_and_the_builtins(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
        code = '''
        Circle = "mine"
        answers = [pow(2, 10, 7), Circle, sqrt(16), Square.__name__, isinstance(e, float), __name__]
        '''
        answer(load.load_module(code, HERE).answers)
        """,
    )
    assert found == [2, "mine", 4.0, "Square", True, "scene"]


def test_params_are_a_name_like_the_others_and_a_copy(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
        params = {"rows": [1, 2]}
        seen = load.load_module("PARAMS['rows'].append(3)\\nseen = PARAMS", HERE, params).seen
        none = load.load_module("seen = PARAMS", HERE).seen
        own = load.load_module("PARAMS = 'mine'\\nseen = PARAMS", HERE, params).seen
        answer([seen, none, own, params])
        """,
    )
    assert found == [{"rows": [1, 2, 3]}, {}, "mine", {"rows": [1, 2]}]


def test_a_function_of_the_scene_sees_the_names_too_and_its_source(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
        code = "import inspect\\ndef area():\\n    return pi * 2\\ntext = inspect.getsource(area)\\n"
        module = load.load_module(code, HERE)
        answer([round(module.area(), 3), module.text])
        """,
    )
    assert found == [6.283, "def area():\n    return pi * 2\n"]


def test_scenes_are_those_that_the_code_defines(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
        module = load.load_module("from manim import *\\nclass B(Scene): pass\\nclass A(ThreeDScene): pass\\n", HERE)
        names = list(load.scenes_in(module))
        try:
            load.choose_scene(module, None)
        except SceneFailure as failure:
            several = failure.error.message
        try:
            load.choose_scene(module, "a")
        except SceneFailure as failure:
            wrong = [failure.error.message, failure.error.hint]
        answer([names, several, wrong, load.choose_scene(module, "A").__name__])
        """,
    )
    names, several, wrong, chosen = found
    assert names == ["B", "A"]
    assert several == "The code defines 2 scenes, and none was named: B, A."
    assert wrong[0] == "There is no scene 'a' in the code. Scenes there: B, A."
    assert chosen == "A"


def test_the_codes_picture_wins_and_the_services_output_does(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
        code = '''from manim import *
        config.background_color = "#ff0000"
        config.pixel_width, config.pixel_height, config.frame_rate = 64, 48, 10
        config.format, config.media_dir, config.dry_run, config.disable_caching = "gif", "/nowhere", True, False
        class Demo(Scene):
            def construct(self):
                self.wait(0.5)
        '''
        watcher = Watcher(lambda pixels, repeat: [pixels[0, 0].tolist(), list(pixels.shape), repeat])
        report = render(RenderSpec(code=code, quality="low"), LIMITS, HERE, lambda message: None, observe=watcher)
        answer([report.width, report.height, report.frame_rate, report.format, watcher.seen, sorted(os.listdir())])
        """,
    )
    assert found[:4] == [64, 48, 10.0, "mp4"]
    assert found[4] == [[[255, 0, 0, 255], [48, 64, 4], 5]]
    assert found[5] == ["poster.jpg", "scene.py", "video.mp4"]


def test_a_picture_beyond_the_limits_is_refused_before_it_is_drawn(tmp_path: Path) -> None:
    code = "config.frame_rate = 500\\nclass Demo(Scene):\\n    def construct(self): raise SystemExit"
    found = in_child(tmp_path, f'answer(failure(RenderSpec(code="{code}")))')
    assert found["code"] == "output_too_large"
    assert "500 frames a second" in found["message"]


def test_a_scene_cannot_catch_the_limit_on_frames(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
        code = (
            "class Demo(Scene):\\n    def construct(self):\\n"
            "        for _ in range(100):\\n            try: self.wait(1)\\n            except Exception: pass\\n"
        )
        answer(failure(RenderSpec(code=code, resolution=Resolution(width=32, height=32), frame_rate=20)))
        """,
    )
    assert found["code"] == "output_too_large"
    assert found["animation_index"] == 20
    assert found["line"] == 4


def test_frames_in_scene_units(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
        sizes = [(854, 480), (1280, 720), (480, 854), (480, 480), (640, 480), (480, 600), (641, 361)]
        answer([configure.frame_units(*size) for size in sizes])
        """,
    )
    wide = 8 * 16 / 9
    assert found[0] == found[1] == found[6] == [wide, 8.0]
    assert found[2] == [8.0, wide]
    assert found[3] == [8.0, 8.0]
    assert found[4] == [640 / 60, 8.0]
    assert found[5] == [8.0, 10.0]


def test_an_error_names_line_column_and_remedy_and_no_path_of_the_host(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
        code = (
            "class Demo(Scene):\\n"
            "    def construct(self):\\n"
            "        self.wait(0.1)\\n"
            "        s = 'ü'; self.play(Create(Circle(colour=RED)))\\n"
        )
        answer(failure(RenderSpec(code=code, resolution=Resolution(width=32, height=32))))
        """,
    )
    assert (found["code"], found["exception"]) == ("exception", "TypeError")
    assert (found["line"], found["column"], found["end_line"]) == (4, 35, 4)
    assert found["animation_index"] == 1
    assert found["hint"] == "Did you mean color=?"
    assert found["excerpt"].splitlines()[2].startswith("> 4 |")
    caret = found["excerpt"].splitlines()[3]
    assert found["excerpt"].splitlines()[2][caret.index("^") :].startswith("Circle(colour=RED)")
    assert 'File "scene.py", line 4, in construct' in found["traceback"]
    assert 'File "manim/mobject' in found["traceback"]
    assert str(tmp_path) not in str(found)
    assert "site-packages" not in found["traceback"]


def test_hints_for_names_of_other_manims(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
        def hint(line):
            code = f"class Demo(Scene):\\n    def construct(self):\\n        {line}\\n"
            return failure(RenderSpec(code=code, resolution=Resolution(width=32, height=32)))["hint"]
        answer([
            hint("self.play(ShowCreation(Circle()))"),
            hint("import manimlib"),
            hint("Circle().rotat(PI)"),
            hint("input()"),
            hint("open('picture.png')"),
            hint("from manim import Circel"),
        ])
        """,
    )
    assert found[0] == "ShowCreation is not in ManimCE 0.22. Use Create."
    assert "3b1b" in found[1]
    assert "rotate" in found[2]
    assert "terminal" in found[3]
    assert "empty directory" in found[4]
    assert found[5] == "Did you mean Circle?"


def test_a_missing_parameter_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
        def hint(line, params):
            code = f"class Demo(Scene):\\n    def construct(self):\\n        {line}\\n"
            return failure(RenderSpec(code=code, resolution=Resolution(width=32, height=32), params=params))["hint"]
        answer([
            hint("Text(PARAMS['name'])", {}),
            hint("Text(PARAMS['name'])", {"names": ["Ada"]}),
            hint("Text(PARAMS['name'])", {"title": "A", "score": 1}),
            hint("PARAMS; {}['name']", {"name": "Ada"}),
            hint("{}['name']", {}),
        ])
        """,
    )
    assert found == [
        "PARAMS has no 'name': the request has no params. Send it as params.",
        "PARAMS has no 'name'. Did you mean 'names'?",
        "PARAMS has no 'name', only 'title', 'score'. Send it in params.",
        None,
        None,
    ]


def test_latex_errors_quote_the_expression_and_texs_own_words(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        r"""
        def fail(line):
            code = f"class Demo(Scene):\n    def construct(self):\n        {line}\n"
            return failure(RenderSpec(code=code, resolution=Resolution(width=32, height=32)))
        answer([fail("MathTex(r'\\frac{a}{\\foo}')"), fail("Tex(r'a_b')")])
        """,
    )
    undefined, missing = found
    assert undefined["code"] == missing["code"] == "latex_error"
    assert r"\frac{a}{\foo}" in undefined["message"]
    assert "Undefined control sequence" in undefined["message"]
    assert undefined["hint"].startswith(r"\foo is not defined")
    assert "Missing $" in missing["message"]
    assert "MathTex" in missing["hint"]


def test_a_line_ends_where_python_says(tmp_path: Path) -> None:
    code = "'''\\x0c\\u2028'''\\r\\nclass Demo(Scene):\\r\\n    def construct(self):\\r\\n        boom\\r\\n"
    found = in_child(tmp_path, f'answer(failure(RenderSpec(code="{code}")))')
    assert found["line"] == 4
    assert found["excerpt"].splitlines()[2] == "> 4 |         boom"
