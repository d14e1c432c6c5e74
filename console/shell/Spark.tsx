type Props = { values: readonly number[]; label: string; height?: number };

/** A stepped line of counts a second; the height is the largest of them, said in words. */
export function Spark({ values, label, height = 28 }: Props) {
  const most = Math.max(...values, 1);
  const width = Math.max(values.length, 1);
  const y = (value: number) => height - 1.5 - (value / most) * (height - 4);
  const line = values.map((value, at) => `${at ? 'L' : 'M'}${at} ${y(value)}H${at + 1}`).join('');
  const peak = Math.max(...values, 0);
  return (
    <svg
      className="spark"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      height={height}
      role="img"
      aria-label={`${label}; at most ${peak}`}
    >
      <path d={`M0 ${height - 1}H${width}`} className="spark-ground" />
      {peak > 0 && <path d={line} className="spark-line" />}
    </svg>
  );
}
