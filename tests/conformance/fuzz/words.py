"""What composed scenes are made of: mobjects, styles, animations and rate functions, as Python expressions.

In a template ``{m}`` is the mobject that is animated, ``{other}`` another one that is there, ``{new}`` a new shape,
``{x}`` and ``{y}`` coordinates, ``{f}`` a factor around 1, ``{t}`` a short time, ``{c}`` a colour, ``{n}`` a small
whole number, ``{v}`` a value tracker.
"""

from __future__ import annotations

COLORS = ("RED", "BLUE", "GREEN", "YELLOW", "PURPLE_B", "TEAL_D", "ORANGE", "WHITE", "GREY_B", "PINK", '"#3fa7d6"')

RATES = (
    "linear",
    "smooth",
    "there_and_back",
    "rush_into",
    "wiggle",
    "double_smooth",
    "lingering",
    "exponential_decay",
    "there_and_back_with_pause",
    "running_start",
    "rate_functions.ease_out_bounce",
    "rate_functions.ease_in_out_elastic",
    "squish_rate_func(smooth, 0.3, 0.8)",
    "slow_into",
    "not_quite_there(smooth, 0.6)",
)

SHAPES = (
    "Circle({f})",
    "Square({f})",
    "Triangle()",
    "Star({n} + 4)",
    "RegularPolygon({n} + 2)",
    "Ellipse({f}, 1.7)",
    "Rectangle(width=2 * {f}, height={f})",
    "RoundedRectangle(corner_radius=0.2, width=2, height={f})",
    "Arc({f}, 0.3, 2.5)",
    "Annulus(0.4, {f})",
    "AnnularSector(0.3, {f}, angle=2)",
    "Sector(radius={f}, angle=1.2)",
    "Line([{x}, {y}, 0], [{x}, {y}, 0])",
    "Arrow([-1, 0, 0], [{f}, 0.5, 0])",
    "DoubleArrow([-1, 0, 0], [{f}, 1, 0])",
    "CurvedArrow([-1, 0, 0], [1, {f}, 0])",
    "DashedLine([-1.5, 0, 0], [{f}, 1, 0])",
    "DashedVMobject(Circle({f}), num_dashes={n} + 5)",
    "Dot([{x}, {y}, 0], radius=0.2)",
    "LabeledDot(Text('{n}', font_size=20))",
    "Polygon([-1, 0, 0], [{f}, 1, 0], [1, -{f}, 0], [0, -1, 0])",
    "Cross(Square({f}))",
    "ArcBetweenPoints([-1, 0, 0], [1, {f}, 0])",
    "CubicBezier([-1, 0, 0], [0, 2, 0], [{f}, -2, 0], [1, 0, 0])",
    "Union(Circle({f}), Square().shift(0.5 * RIGHT))",
    "Difference(Square(2), Circle({f} * 0.7))",
    "Exclusion(Circle({f}), Triangle())",
    "Cutout(Square(2), Circle(0.5 * {f}))",
    "ParametricFunction(lambda t: [t, np.sin({n} * t), 0], t_range=[-2, 2, 0.1])",
    "Angle(Line(ORIGIN, RIGHT), Line(ORIGIN, [{f}, 1, 0]))",
    "VMobject().set_points_as_corners([[-1, 0, 0], [0, {f}, 0], [1, 0, 0], [1, -1, 0]])",
    "VMobject().set_points_smoothly([[-1, 0, 0], [0, {f}, 0], [1, 0, 0], [1, -1, 0]])",
)

TEXTS = (
    "Text('Word {n}', font_size=32)",
    "Text('fluffy office', font_size=28, gradient=(RED, BLUE))",
    "Text('bold', weight=BOLD, slant=ITALIC, t2c={{'ol': YELLOW}})",
    "MarkupText('x<sub>{n}</sub> <b>b</b> <i>i</i>', font_size=32)",
    "Paragraph('two', 'lines here', font_size=26, line_spacing=0.8)",
    "DecimalNumber({f}, num_decimal_places={n}, mob_class=Text)",
    "Integer({n} * 37, mob_class=Text)",
)

FORMULAS = (
    "MathTex('a^2', '+', 'b^2', '=', 'c^2')",
    "MathTex(r'\\frac{{a}}{{b}}')",
    "MathTex('x = {n}')",
    "Tex('Hello $x$')",
    "Integer({n})",
    "Title('Title')",
    "BulletedList('one', 'two', font_size=30)",
)

COMPOUNDS = (
    "VGroup(*[Dot(radius=0.1 + 0.05 * k) for k in range({n} + 2)]).arrange(RIGHT, buff=0.2)",
    "VGroup(*[Square(0.4, fill_opacity=k / 9) for k in range(9)]).arrange_in_grid(3, 3, buff=0.1)",
    "VGroup(Circle(0.6), Square(0.8), Triangle()).arrange(DOWN, buff=0.1).set_color_by_gradient(RED, BLUE)",
    "VGroup(Text('A', font_size=30), Circle(0.5), VGroup(Square(0.3), Dot())).arrange(RIGHT)",
    "VDict([('s', Square(0.6)), ('c', Circle(0.4).shift(RIGHT))])",
    "NumberLine([-2, 2], length=5)",
    "Axes([-2, 2], [-1, 1], x_length=5, y_length=3)",
    "NumberPlane([-3, 3], [-2, 2], x_length=6, y_length=4)",
    "ComplexPlane(x_range=[-2, 2], y_range=[-1, 1])",
    "PolarPlane(radius_max=2, size=3)",
    "Graph([1, 2, 3, 4], [(1, 2), (2, 3), (3, 4), (1, 4)], layout='circular')",
    "ArrowVectorField(lambda p: np.array([p[1], -p[0], 0]), x_range=[-2, 2], y_range=[-1, 1])",
    "Brace(Square(2), DOWN)",
)

PICTURES = (
    "ImageMobject(np.uint8([[0, 100, 200], [255, 30, 90], [{n}, 160, 60]])).scale(30 * {f})",
    "ImageMobject(np.random.randint(0, 255, (8, 8, 3), dtype=np.uint8)).scale(12)",
    "Group(ImageMobject(np.uint8([[[255, 0, 0, 128], [0, 255, 0, 255]]])).scale(60), Circle({f}))",
    "PMobject().add_points([[{x} / 3, {y} / 3, 0], [1, 1, 0], [-1, {f}, 0]])",
)

SOLIDS = (
    "Sphere(radius={f}, resolution=(5, 6))",
    "Cube({f}, fill_opacity=0.6)",
    "Prism([1, {f}, 2])",
    "Torus(major_radius=1, minor_radius=0.3, resolution=(6, 6))",
    "Cylinder(radius=0.5, height={f}, resolution=(2, 8))",
    "Cone(base_radius=0.6, height={f}, resolution=(2, 8))",
    "Surface(lambda u, v: np.array([u, v, np.sin(u * v)]), u_range=[-1, 1], v_range=[-1, 1], resolution=(5, {n} + 2))",
    "Surface(lambda u, v: np.array([u, v, u * u - v]), u_range=[-1, 1], v_range=[-1, 1], resolution=4, "
    "checkerboard_colors=[{c}, {c}], stroke_width={n})",
    "Dot3D([{x} / 3, {y} / 3, 1])",
    "Line3D([-1, 0, 0], [{f}, 1, 1])",
    "Arrow3D([-1, 0, 0], [{f}, 1, 1])",
    "ThreeDAxes([-2, 2], [-2, 2], [-1, 1], x_length=4, y_length=4, z_length=2)",
    "Tetrahedron({f})",
)

STYLES = (
    "set_color({c})",
    "set_fill({c}, opacity={f} / 2)",
    "set_stroke({c}, width={n} * 2)",
    "set_stroke(width=0)",
    "set_opacity({f} / 2)",
    "set_color_by_gradient({c}, {c})",
    "set_sheen(0.4, UR)",
    "set_background_stroke(color={c}, width={n})",
    "rotate({f})",
    "scale({f})",
    "stretch({f}, 0)",
    "flip(UP)",
    "set_z_index({n} - 2)",
    "shift([{x}, {y}, 0])",
    "move_to([{x}, {y}, 0])",
    "to_edge(LEFT)",
    "to_corner(UR)",
    "shift(9 * RIGHT)",
)

ENTRANCES = (
    "Create({m})",
    "FadeIn({m})",
    "FadeIn({m}, shift={x} / 3 * RIGHT + {y} / 3 * UP)",
    "FadeIn({m}, scale={f}, lag_ratio=0.2)",
    "Write({m})",
    "DrawBorderThenFill({m})",
    "GrowFromCenter({m})",
    "GrowFromEdge({m}, DOWN)",
    "GrowFromPoint({m}, [{x}, {y}, 0])",
    "SpinInFromNothing({m})",
    "SpiralIn({m})",
    "ShowIncreasingSubsets({m})",
    "Add({m})",
)
FOR_ANYTHING = ("FadeIn({m})", "FadeIn({m}, shift=UP)", "GrowFromCenter({m})", "Add({m})")

CHANGES = (
    "{m}.animate.shift([{x} / 2, {y} / 2, 0])",
    "{m}.animate.scale({f})",
    "{m}.animate.rotate({f} * 2)",
    "{m}.animate.set_color({c})",
    "{m}.animate.set_opacity({f} / 2)",
    "{m}.animate.move_to([{x}, {y}, 0]).scale({f})",
    "{m}.animate(rate_func={rate}, run_time={t}).to_edge(UP)",
    "{m}.animate.next_to({other}, RIGHT)",
    "Rotate({m}, {f} * 2)",
    "Rotate({m}, PI, about_point=[{x}, {y}, 0])",
    "ApplyMethod({m}.shift, UP)",
    "ApplyFunction(lambda m: m.scale({f}).shift(0.3 * RIGHT), {m})",
    "ScaleInPlace({m}, {f})",
    "UpdateFromAlphaFunc({m}, lambda m, a: m.set_opacity(0.3 + 0.7 * a))",
    "UpdateFromFunc({m}, lambda m: m.shift(0.05 * RIGHT))",
    "MoveAlongPath({m}, Circle({f}))",
    "Rotating({m}, angle=2, run_time={t})",
    "Wait({t})",
)
VECTOR_CHANGES = (
    "{m}.animate.set_fill({c}, opacity=0.7)",
    "{m}.animate.set_stroke({c}, width={n} * 3)",
    "{m}.animate.set_fill({c}, opacity=0.3).become({m}.copy().scale({f}))",
    "FadeToColor({m}, {c})",
    "Indicate({m})",
    "Wiggle({m})",
    "ApplyWave({m})",
    "Circumscribe({m})",
    "Circumscribe({m}, Circle, fade_out=True)",
    "Flash({m})",
    "FocusOn({m})",
    "ShowPassingFlash({m}.copy().set_color({c}))",
    "Blink({m})",
    "Transform({m}, {new})",
    "Transform({m}, {new}, path_arc={f} * 2)",
    "ClockwiseTransform({m}, {new})",
    "FadeTransform({m}.copy(), {new})",
    "TransformFromCopy({m}, {new})",
    "ApplyPointwiseFunction(lambda p: p + [0, 0.3 * np.sin(p[0]), 0], {m})",
    "ApplyMatrix([[1, {f} / 2], [0, 1]], {m})",
    "Homotopy(lambda x, y, z, t: (x + 0.3 * t * y, y, z), {m})",
    "PhaseFlow(lambda p: np.array([0.2 * p[1], -0.2 * p[0], 0]), {m})",
    "CyclicReplace({m}, {other})",
    "Swap({m}, {other})",
    "TransformMatchingShapes({m}.copy(), {new})",
    "Broadcast({m}.copy())",
)

EXITS = ("FadeOut({m})", "FadeOut({m}, shift=DOWN)", "FadeOut({m}, scale=0.5)", "ShrinkToCenter({m})")
VECTOR_EXITS = ("Uncreate({m})", "Unwrite({m})", "FadeOut({m}, target_position=[{x}, {y}, 0])", "SpiralIn({m})")

UPDATERS = (
    "{m}.add_updater(lambda m, dt: m.rotate(dt))",
    "{m}.add_updater(lambda m, dt: m.shift(0.5 * dt * RIGHT))",
    "{m}.add_updater(lambda m: m.next_to({other}, UP))",
    "{m}.add_updater(lambda m: m.set_x({v}.get_value()))",
    "{m}.add_updater(lambda m, dt: m.shift([random.uniform(-1, 1) * dt, np.random.uniform(-1, 1) * dt, 0]))",
    "{m}.add_updater(lambda m: m.set_opacity(0.2 + 0.1 * abs({v}.get_value())))",
    "{m}.add_updater(lambda m: None)",
    "always_rotate({m}, rate={f})",
    "always_shift({m}, rate=0.3 * {f})",
    "{m}.clear_updaters()",
    "{m}.suspend_updating()",
    "{m}.resume_updating()",
)

REDRAWN = (
    "Dot([{v}.get_value(), {y}, 0], color={c})",
    "Circle(0.2 + abs({v}.get_value()) / 3, color={c}, fill_opacity=0.4)",
    "Line(ORIGIN, [{v}.get_value(), 1, 0])",
    "Text(f'{{{v}.get_value():.1f}}', font_size=30)",
    "DecimalNumber({v}.get_value(), num_decimal_places=2, mob_class=Text)",
    "SurroundingRectangle({other}, color={c})",
    "Square(1).rotate({v}.get_value()).shift([{x}, {y}, 0])",
)
